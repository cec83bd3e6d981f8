"""Writing where there is no space, or no permission."""

import errno
import os
import re
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from oaa_mm.attention import AttentionAccumulator, AttentionStore
from oaa_mm.io import atomic_write, write_mask
from oaa_mm.io.manifest import Manifest, write_manifest
from oaa_mm.tags import LabelTable, write_labels

RNG = np.random.default_rng(0)
PAGE = 4096


def table(size):
    labels = {f'im{n:06}': (n % 3,) for n in range(size)}
    return LabelTable(labels, ('a', 'b', 'c'))


def store(size, kind=AttentionStore):
    filled = AttentionStore()
    for number in range(max(size // 1024, 1)):
        filled[f'im{number}', 0] = RNG.integers(0, 256, (32, 32), np.uint8)
    return filled


def write_memory(path, size):
    accumulator = AttentionAccumulator()
    accumulator.store.update(store(size))
    accumulator.save(path)


#: What is written -> how, about `size` bytes at least.
WRITERS = {
    'a.safetensors': lambda path, size: store(size).save(path),
    'memory.safetensors': write_memory,
    'a.csv': lambda path, size: write_labels(table(size // 10), path),
    'a.txt': lambda path, size: write_labels(table(size // 10), path),
    'a.json': lambda path, size: write_labels(table(size // 80), path),
    'a.npy': lambda path, size: write_labels(table(size // 80), path),
    'a.png': lambda path, size: write_mask(
        path, RNG.integers(0, 256, (max(size // 256, 1), 256), np.uint8)
    ),
    'manifest.json': lambda path, size: write_manifest(
        path, Manifest(tool='test', parameters={'text': 'x' * size})
    ),
}


def run(*command):
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.fixture(scope='module')
def disk(tmp_path_factory):
    """A file system of 1 MB."""
    folder = tmp_path_factory.mktemp('disk')
    if run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', str(folder)):
        pytest.skip('mounting a tmpfs needs root; RLIMIT_FSIZE is tried below')
    yield folder
    run('umount', str(folder))


@contextmanager
def filled(disk, left):
    """Leave so many bytes, whatever lies there already."""
    filler = disk / 'filler'
    stat = os.statvfs(disk)
    filler.write_bytes(b'x' * (stat.f_bavail * stat.f_bsize - left))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def small_files(size):
    """Let no file grow beyond that, on any system and for any user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder):
    return {
        path: path.read_bytes()
        for path in Path(folder).rglob('*')
        if path.is_file() and path.name != 'filler'
    }


def assert_refused(write, path, *, number, message):
    before = contents(path.parent)
    with pytest.raises(OSError, match=message) as caught:
        write(path, 200_000)
    assert caught.value.errno == number
    assert caught.value.filename == str(path)
    assert contents(path.parent) == before
    return str(caught.value)


@pytest.mark.parametrize('name', WRITERS)
def test_a_full_disk(disk, name):
    path, write = disk / 'out' / name, WRITERS[name]
    with filled(disk, 16 * PAGE):
        write(path, 100)  # there is room for a little
        message = assert_refused(
            write, path, number=errno.ENOSPC,
            message=rf'No space left .*bytes are free in .*out; .*{name}',
        )  # fmt: skip
        if name.endswith('.safetensors'):
            assert re.search(r'\(20\d,\d{3} bytes are needed', message)
    write(path, 200_000)  # once there is space, the same call works
    path.unlink()


@pytest.mark.parametrize('name', WRITERS)
def test_a_file_that_may_not_grow(tmp_path, name):
    write = WRITERS[name]
    write(tmp_path / name, 100)
    with small_files(16 * PAGE):
        assert_refused(
            write, tmp_path / name, number=errno.EFBIG,
            message='File too large .*bytes are free',
        )  # fmt: skip


@pytest.mark.parametrize('name', WRITERS)
def test_a_read_only_disk(disk, name):
    path = disk / name
    WRITERS[name](path, 100)
    assert not run('mount', '-o', 'remount,ro', str(disk))
    try:
        for file in (path, disk / 'new_folder' / name):
            before = contents(disk)
            with pytest.raises(
                OSError, match='cannot be written to'
            ) as caught:
                WRITERS[name](file, 100)
            assert caught.value.errno == errno.EROFS
            assert caught.value.filename == str(file)
            assert contents(disk) == before
    finally:
        assert not run('mount', '-o', 'remount,rw', str(disk))
        path.unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(PermissionError, match='cannot be written to'):
        WRITERS['a.csv'](tmp_path / 'a.csv', 10)


def test_folders_of_labels(disk):
    path = disk / 'Annotations'
    before = contents(disk)
    with (
        filled(disk, 16 * PAGE),
        pytest.raises(OSError, match=r"bytes are free.*Annotations'"),
    ):
        write_labels(table(300), path, format='voc_xml')
    assert contents(disk) == before
    assert not path.exists()


def test_maps_as_png(disk):
    folder = disk / 'maps'
    store(3 * 1024).export_png(folder)
    before = contents(folder)
    with (
        filled(disk, 4 * PAGE),
        pytest.raises(OSError, match=r'bytes are free.*im\d+_0\.png'),
    ):
        store(30 * 1024).export_png(folder)
    # What was written before the disk was full is whole.
    assert set(contents(folder)) >= set(before)
    assert AttentionStore.import_png(folder).coverage > 0
    assert not list(folder.glob('.*'))


def test_errors_of_other_files_stay_what_they_are(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"absent'$"),
        atomic_write(tmp_path / 'a') as file,
    ):
        file.write((tmp_path / 'absent').read_bytes())
    assert not list(tmp_path.iterdir())
