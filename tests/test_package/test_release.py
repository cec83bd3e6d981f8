"""What a release says of itself in several files."""

import re

from oaa_mm.version import __version__


def test_one_version(root):
    citation = (root / 'CITATION.cff').read_text(encoding='utf-8')
    (version,) = re.findall(r'^version: (.*)$', citation, re.MULTILINE)
    (date,) = re.findall(r'^date-released: (.*)$', citation, re.MULTILINE)
    changes = (root / 'CHANGELOG.md').read_text(encoding='utf-8')
    newest, *_ = re.findall(r'^## \[(.*)\] - (.*)$', changes, re.MULTILINE)
    assert newest == (version, date)
    assert version == __version__


def test_the_package_has_types(root):
    assert (root / 'oaa_mm/py.typed').is_file()
    assert 'py.typed' in (root / 'setup.py').read_text(encoding='utf-8')
