"""The rooms of the package: who imports whom, and what importing changes."""

import ast
import subprocess
import sys
import textwrap

import pytest

#: From the bottom up: a room imports those before it. What each of them is for
#: stands in docs/architecture.md.
ROOMS = (
    *('checks', 'compat', 'registry', 'version'),
    *('io', 'tags', 'attention', 'datasets', 'models', 'runs'),
    *('pseudo_labels', 'evaluation', 'engine', 'visualization', 'report'),
    *('doctor', 'pipeline', 'apis', '__main__'),
)


@pytest.fixture(scope='module')
def trees(root):
    """Path below the package -> parsed module."""
    package = root / 'oaa_mm'
    return {
        path.relative_to(package): ast.parse(path.read_text(encoding='utf-8'))
        for path in sorted(package.rglob('*.py'))
    }


def imported(tree):
    """Absolute names of all modules that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                # Two dots may leave a folder, never a room.
                continue
            yield node.module
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


def room_of(path):
    return path.parts[0].removesuffix('.py')


def test_every_room_has_its_place(trees):
    assert {room_of(path) for path in trees} == {'__init__', *ROOMS}


def test_a_room_imports_only_rooms_before_it(trees):
    wrong = set()
    for path, tree in trees.items():
        if room_of(path) == '__init__':
            continue
        place = ROOMS.index(room_of(path))
        for name in imported(tree):
            if name.startswith('oaa_mm.'):
                other = name.split('.')[1]
                if other in ROOMS and ROOMS.index(other) > place:
                    wrong.add(f'{path} imports {other}')
    assert not wrong


def test_relative_imports_stay_in_their_room(trees):
    wrong = [
        str(path)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.level >= len(path.parts)
        and room_of(path) != '__init__'
    ]
    assert not wrong


def test_packages_alone_list_their_public_names(trees):
    """Elsewhere the underscore says what is private."""
    listed = [
        str(path)
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == '__all__'
        and path.name != '__init__.py'
    ]
    assert not listed


def test_nothing_is_mocked_outside_tests(trees):
    mocked = [
        str(path)
        for path, tree in trees.items()
        if any(name.startswith('unittest') for name in imported(tree))
    ]
    assert not mocked


def test_importing_changes_no_file_backend():
    code = """
        import mmengine.fileio as fileio
        from mmengine.fileio.backends import backends, prefix_to_backends
        before = dict(backends), dict(prefix_to_backends)
        functions = {name: getattr(fileio, name) for name in fileio.__all__}
        import oaa_mm, oaa_mm.apis, oaa_mm.engine, oaa_mm.runs
        assert {n: b for n, b in backends.items()
                if not n.startswith('oaa_mm.')} == before[0]
        assert dict(prefix_to_backends) == before[1]
        assert functions == {n: getattr(fileio, n) for n in functions}
    """
    result = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
