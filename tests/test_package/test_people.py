"""Files for people who cite the package or contribute to it."""

import re

import yaml


def test_the_citation_is_that_of_the_article(root):
    cff = yaml.safe_load((root / 'CITATION.cff').read_text())
    # What the format 1.2.0 requires.
    assert {'cff-version', 'message', 'title', 'authors'} <= set(cff)
    article = cff['preferred-citation']
    assert {'type', 'title', 'authors'} <= set(article)
    assert article['type'] == 'conference-paper'
    assert article['title'] == (
        'Integral Object Mining via Online Attention Accumulation'
    )
    assert [author['family-names'] for author in article['authors']] == [
        'Jiang',
        'Hou',
        'Cao',
        'Cheng',
        'Wei',
        'Xiong',
    ]
    assert article['year'] == 2019
    # Persons have no key `name`, entities no `given-names`.
    for author in (*cff['authors'], *article['authors']):
        assert ('name' in author) != ('family-names' in author)


def test_pre_commit_runs_the_locked_ruff(root):
    config = yaml.safe_load((root / '.pre-commit-config.yaml').read_text())
    (ruff,) = [r for r in config['repos'] if 'ruff' in r['repo']]
    lock = (root / 'requirements/lock.txt').read_text()
    locked = re.search(r'^ruff==(.+)$', lock, re.MULTILINE)[1]
    assert ruff['rev'] == f'v{locked}'
    assert [hook['id'] for hook in ruff['hooks']] == [
        'ruff-check',
        'ruff-format',
    ]


def tracked_text(root):
    for folder in ('', 'docs', 'configs', 'oaa_mm', 'tools', 'tests'):
        pattern = '**/*' if folder else '*'
        for path in (root / folder).glob(pattern):
            if path.suffix in {'.md', '.py', '.yml', '.yaml', '.txt', '.cff'}:
                yield path


def test_files_are_as_the_hooks_want_them(root):
    """Otherwise the first commit of a newcomer changes foreign files."""
    paths = list(tracked_text(root))
    assert len(paths) > 200
    for path in paths:
        text = path.read_text(encoding='utf-8')
        assert not re.search(r'[ \t]+$', text, re.MULTILINE), path
        assert not text or text.endswith('\n'), path
        assert not text.endswith('\n\n'), path
