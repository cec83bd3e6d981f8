"""The documentation builds, and its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob('*.md'), *ROOT.glob('docs/**/*.md'))
    if 'site' not in path.parts
)
LINK = re.compile(r'\]\(([^)\s]+)\)')


def anchors_of(page):
    """Anchors of the headings, as GitHub and mkdocs make them."""
    text = re.sub(r'```.*?```', '', page.read_text(), flags=re.DOTALL)
    titles = re.findall(r'^#+ (.+)$', text, re.MULTILINE)
    plain = [re.sub(r'[^\w\s-]', '', title).strip() for title in titles]
    return {re.sub(r'\s', '-', title.lower()) for title in plain}


@pytest.mark.parametrize(
    'page', PAGES, ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_to_files_and_headings(page):
    for link in LINK.findall(page.read_text()):
        if link.startswith(('http://', 'https://', 'mailto:')):
            continue
        name, _, anchor = link.partition('#')
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f'{page.name}: {link}'
        if anchor:
            assert anchor in anchors_of(target), f'{page.name}: {link}'


def test_the_site_builds_with_the_api(tmp_path):
    pytest.importorskip('mkdocstrings', reason='needs the extra `docs`')
    result = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet']
        + ['--site-dir', str(tmp_path / 'site')],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    page = (tmp_path / 'site/api/attention/index.html').read_text()
    # A class, a method, an argument and its text.
    for part in ('AttentionAccumulator', 'finish_epoch', 'start_epoch'):
        assert part in page
    assert 'the first epoch only trains' in page


def test_every_page_is_in_the_menu():
    menu = (ROOT / 'mkdocs.yml').read_text()
    for page in (ROOT / 'docs').rglob('*.md'):
        assert str(page.relative_to(ROOT / 'docs')) in menu
