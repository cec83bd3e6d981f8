"""Manifests and fingerprints."""

import hashlib
import json
from dataclasses import replace

import pytest

from oaa_mm.io.fingerprint import (
    fingerprint,
    fingerprint_files,
    fingerprint_names,
)
from oaa_mm.io.manifest import (
    Manifest,
    differences,
    installed_versions,
    read_manifest,
    write_manifest,
)

MANIFEST = Manifest(
    tool='make_pseudo_labels',
    parameters={'alpha': 4.0, 'sizes': (1, 2), 'options': {'a': None}},
    inputs={'store': {'path': 'a/b', 'sha256': 'f' * 64, 'count': 3}},
    seed=7,
)


def test_comes_back_from_the_file(tmp_path):
    path = tmp_path / 'new' / 'manifest.json'
    write_manifest(path, MANIFEST)
    back = read_manifest(path)
    assert back == replace(
        MANIFEST, parameters={**MANIFEST.parameters, 'sizes': [1, 2]}
    )
    assert differences(back, MANIFEST) == []
    assert json.loads(path.read_text())['tool'] == 'make_pseudo_labels'
    assert [p.name for p in path.parent.iterdir()] == ['manifest.json']


def test_versions_and_date():
    versions = installed_versions()
    assert set(versions) == {
        'python', 'oaa_mm', 'torch', 'mmengine', 'mmcv', 'mmseg', 'numpy',
    }  # fmt: skip
    assert MANIFEST.versions == versions
    assert MANIFEST.date.startswith('20')
    assert MANIFEST.date.endswith('+00:00')


def test_differences_are_named():
    new = replace(
        MANIFEST,
        parameters={'alpha': 8.0, 'options': {'a': None}, 'sizes': (1, 2)},
        inputs={
            'store': {'path': 'elsewhere', 'sha256': '0' * 64, 'count': 3},
            'saliency': {'path': 'c', 'sha256': '1' * 64, 'count': 1},
        },
        seed=8,
    )
    assert differences(MANIFEST, new) == [
        'input saliency: nothing -> 1 file(s), sha256 111111111111',
        'input store: 3 file(s), sha256 ffffffffffff -> 3 file(s), sha256 '
        '000000000000',
        'parameter alpha: 4.0 -> 8.0',
        'seed: 7 -> 8',
    ]


def test_paths_dates_and_versions_do_not_count():
    new = replace(
        MANIFEST,
        date='1999',
        versions={**MANIFEST.versions, 'torch': '0'},
        inputs={'store': {**MANIFEST.inputs['store'], 'path': 'moved'}},
    )
    assert differences(MANIFEST, new) == []


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'is not a manifest'),
        ('{"a"', 'is not a manifest'),
        ('[1]', 'not a manifest of oaa_mm'),
        ('{"format": "other"}', 'not a manifest of oaa_mm'),
        ('{"format": "oaa_mm.manifest", "version": 2}', 'of version 2'),
        (
            '{"format": "oaa_mm.manifest", "version": 1, "tool": 3, '
            '"parameters": {}, "inputs": {"a": 1}, "seed": null, '
            '"versions": {}, "date": ""}',
            'damaged manifest: inputs, tool',
        ),
    ],
)
def test_what_is_no_manifest(tmp_path, text, message):
    path = tmp_path / 'manifest.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_manifest(path)


def test_absent_manifest(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_manifest(tmp_path / 'manifest.json')


@pytest.mark.parametrize('value', [float('nan'), object()])
def test_parameters_are_json(tmp_path, value):
    path = tmp_path / 'manifest.json'
    with pytest.raises(ValueError, match='JSON cannot hold'):
        write_manifest(path, replace(MANIFEST, parameters={'a': value}))
    assert not path.exists()


def test_fingerprint_of_a_file(tmp_path):
    path = tmp_path / 'store'
    path.write_bytes(b'maps')
    assert fingerprint(path) == {
        'path': str(path),
        'sha256': hashlib.sha256(b'maps').hexdigest(),
        'count': 1,
        'bytes': 4,
    }


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'folder'
    (folder / 'sub').mkdir(parents=True)
    (folder / 'a').write_bytes(b'x' * 100)
    (folder / 'sub' / 'b').write_bytes(b'y' * 50)
    return folder


def test_fingerprint_of_a_folder(folder, tmp_path):
    found = fingerprint(folder)
    assert (found['count'], found['bytes']) == (2, 150)
    assert found['bytes_read'] == 150
    moved = folder.rename(tmp_path / 'moved')
    assert fingerprint(moved)['sha256'] == found['sha256']
    part = fingerprint_files([moved / 'a'])
    assert part['count'] == 1
    (moved / 'sub' / 'b').write_bytes(b'z' * 50)
    assert fingerprint(moved)['sha256'] != found['sha256']
    assert fingerprint_files([moved / 'a']) == part
    (moved / 'sub' / 'b').rename(moved / 'b')
    (moved / 'b').write_bytes(b'y' * 50)
    assert fingerprint(moved)['sha256'] != found['sha256']


def test_fingerprint_of_a_large_folder_is_bounded(folder, monkeypatch):
    monkeypatch.setattr('oaa_mm.io.fingerprint.FOLDER_BUDGET', 60)
    found = fingerprint(folder)
    assert found['bytes_read'] == 60
    (folder / 'a').write_bytes(b'x' * 30 + b'?' * 70)
    assert fingerprint(folder) == found
    (folder / 'a').write_bytes(b'x' * 29 + b'?' * 71)
    assert fingerprint(folder)['sha256'] != found['sha256']
    (folder / 'a').write_bytes(b'x' * 101)
    assert fingerprint(folder)['sha256'] != found['sha256']


def test_fingerprint_without_content(folder):
    files = [folder / 'a', folder / 'sub/b']
    found = fingerprint_files(files, content=False)
    assert found['bytes_read'] == 0
    (folder / 'a').write_bytes(b'?' * 100)
    assert fingerprint_files(files, content=False) == found
    (folder / 'a').write_bytes(b'?' * 99)
    changed = fingerprint_files(files, content=False)
    assert changed['sha256'] != found['sha256']


def test_fingerprint_of_what_is_absent(tmp_path):
    with pytest.raises(FileNotFoundError, match='absent'):
        fingerprint(tmp_path / 'absent')


def test_order_of_a_list_counts():
    one = fingerprint_names('list.txt', ['a', 'b'])
    assert one['count'] == 2
    assert one == fingerprint_names('list.txt', iter(['a', 'b']))
    for other in (['b', 'a'], ['ab'], ['a']):
        assert fingerprint_names('x', other)['sha256'] != one['sha256']
