"""What an sdist and a wheel hold; `.ci/check_wheel` installs and uses one."""

import shutil
import subprocess
import sys
import tarfile
from zipfile import ZipFile

import pytest

# What setup.py needs; docs and tests are not part of an installation.
FOLDERS = ('oaa_mm', 'configs', 'tools', 'requirements')
FILES = (
    *('setup.py', 'MANIFEST.in', 'model-index.yml'),
    *('README.md', 'LICENSE', 'CITATION.cff'),
)


def names_in(folder):
    """Relative paths of the files of a folder, compiled ones left out."""
    return {
        str(path.relative_to(folder.parent))
        for path in folder.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


@pytest.fixture(scope='module')
def source(root, tmp_path_factory):
    """A copy of the source tree."""
    folder = tmp_path_factory.mktemp('source')
    unwanted = shutil.ignore_patterns('__pycache__', '.mim')
    for name in FOLDERS:
        shutil.copytree(root / name, folder / name, ignore=unwanted)
    for name in FILES:
        shutil.copy(root / name, folder)
    return folder


def build(folder, *words):
    """Run `setup.py` there; `.ci/check_wheel` goes the way by pip."""
    result = subprocess.run(
        [sys.executable, 'setup.py', '-q', *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope='module')
def sdist(source):
    build(source, 'sdist')
    return next((source / 'dist').glob('*.tar.gz'))


@pytest.fixture(scope='module')
def wheel(sdist, tmp_path_factory):
    """The wheel that is built of nothing but the sdist."""
    folder = tmp_path_factory.mktemp('wheel')
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter='data')
    unpacked = next(folder.glob('oaa_mm-*'))
    # What was deleted since a former build must not be in the next wheel.
    gone = unpacked / 'build/lib/oaa_mm/.mim/configs/gone.py'
    gone.parent.mkdir(parents=True)
    gone.touch()
    build(unpacked, 'bdist_wheel')
    assert (unpacked / 'build/lib/oaa_mm/.mim/configs').is_dir()
    with ZipFile(next(unpacked.glob('dist/*.whl'))) as archive:
        yield archive


def test_an_sdist_leaves_nothing_in_the_source_tree(source, sdist):
    assert not (source / 'oaa_mm/.mim').exists()
    assert not [path for path in source.rglob('*') if path.is_symlink()]
    with tarfile.open(sdist) as archive:
        assert not [m for m in archive.getmembers() if m.issym()]


def test_an_editable_installation_is_a_base_of_other_configs(source, tmp_path):
    """By links that are made anew by each installation."""
    tree = shutil.copytree(source, tmp_path / 'source')
    for _ in range(2):
        build(tree, 'editable_wheel', '-d', str(tmp_path))
    mim = tree / 'oaa_mm/.mim'
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (mim / name).resolve() == tree.resolve() / name
    (tmp_path / 'own.py').write_text("_base_ = 'oaa_mm::toy/oaa_r18_toy.py'\n")
    # mmengine asks importlib where an installed package is.
    code = (
        'from unittest.mock import patch; from mmengine import Config; '
        f'place = patch("mmengine.config.config.get_installed_path", '
        f'return_value={str(tree / "oaa_mm")!r}); place.start(); '
        'print(Config.fromfile("own.py").model.type)'
    )
    result = subprocess.run(
        [sys.executable, '-c', 'import oaa_mm; ' + code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.endswith('oaa_mm.CAMClassifier\n'), result.stderr


def test_the_wheel_holds_the_whole_package(root, wheel):
    names = set(wheel.namelist())
    expected = names_in(root / 'oaa_mm')
    assert 'oaa_mm/report/templates/report.css' in expected
    assert {n for n in expected if '.mim' not in n} <= names
    licence = next(n for n in names if n.endswith('/LICENSE'))
    assert wheel.read(licence) == (root / 'LICENSE').read_bytes()
    assert not [n for n in names if n.endswith('.pyc')]


def test_the_wheel_holds_configs_tools_and_index_for_mim(root, wheel):
    mim = 'oaa_mm/.mim/'
    found = {n[len(mim) :] for n in wheel.namelist() if n.startswith(mim)}
    expected = names_in(root / 'configs') | names_in(root / 'tools')
    assert found == expected | {'model-index.yml'}
    train = 'tools/train.py'
    assert wheel.read(mim + train) == (root / train).read_bytes()
