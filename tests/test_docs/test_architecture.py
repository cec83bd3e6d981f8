"""docs/architecture.md names what exists, where it says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs/architecture.md').read_text(encoding='utf-8')
OWNERS = [
    (path, names)
    for row in re.findall(r'^\| (?!fact).+? \| (`.+) \|$', PAGE, re.MULTILINE)
    for owner in row.split('; ')
    for path, *names in [re.findall(r'`(.+?)`', owner)]
]
FILES = {
    path
    for path in re.findall(r'(?:^ |`|by )([a-z_/]+\.py)\b', PAGE, re.MULTILINE)
    if '/' in path and not path.startswith(('tests/', 'tools/'))
}


@pytest.mark.parametrize(('path', 'names'), OWNERS, ids=str)
def test_owners_exist(path, names):
    tree = ast.parse((ROOT / 'oaa_mm' / path).read_text(encoding='utf-8'))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    } | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert set(names) <= defined


def test_files_exist():
    assert len(OWNERS) > 40
    assert len(FILES) > 40
    assert not [f for f in FILES if not (ROOT / 'oaa_mm' / f).is_file()]


def test_every_room_is_drawn():
    package = ROOT / 'oaa_mm'
    rooms = {path.parent.name for path in package.glob('*/__init__.py')}
    figure = PAGE.split('```')[1]
    assert rooms <= set(figure.split())
