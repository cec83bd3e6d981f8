"""The record of a data set: small, exact, and valid after a move."""

import json

import pytest

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DATA_SET, DataRecord, record_data


def touch(root, *names):
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return [str(path) for path in paths]


@pytest.fixture
def files(tmp_path):
    """Files of every kind: sub-folders, suffixes, prefixes, two roots."""
    ids = ['0001', '0002', 'deep/0001', 'b/0001', 'c_0001', 'odd']
    names = (
        *('x/0001.jpg', 'x/0002_sat.JPG', 'x/deep/0001.jpg'),
        *('y/0001.jpg', 'z/0001.tif', 'x/other name.png'),
    )
    return dict(zip(ids, touch(tmp_path / 'data', *names), strict=True))


def test_each_file_is_found_again(files, tmp_path):
    record = json.loads(json.dumps(record_data(files, tmp_path, masks=files)))
    data = DataRecord(record, tmp_path / 'store')
    assert data.find_images(reversed(files)) == files
    assert data.find_masks(files) == files
    assert record == record_data(
        dict(reversed(files.items())), tmp_path, masks=files
    )


def test_a_moved_project_finds_its_images(files, tmp_path):
    record = record_data(files, tmp_path / 'work_dirs/own')
    new = tmp_path / 'elsewhere/project'
    new.mkdir(parents=True)
    (tmp_path / 'data').rename(new / 'data')
    place = new / 'work_dirs/own/attention_epoch_3.safetensors'
    assert DataRecord(record, place).find_images(files) == {
        image_id: path.replace(f'{tmp_path}/', f'{new}/')
        for image_id, path in files.items()
    }


def test_absent_images_name_the_option(files, tmp_path):
    data = DataRecord(record_data(files, tmp_path), tmp_path / 'store')
    (tmp_path / 'data').rename(tmp_path / 'gone')
    with pytest.raises(FileNotFoundError, match=r'6 of 6 .*0001.*--img-dir'):
        data.find_images(files)
    assert data.find_images(['0001'], tmp_path / 'gone/x') == {
        '0001': str(tmp_path / 'gone/x/0001.jpg')
    }
    nothing = DataRecord(None, 'old.safetensors')
    with pytest.raises(FileNotFoundError, match=r'old\.safe.*--img-dir'):
        nothing.find_images(['0001'])
    assert len(nothing.class_names()) == 20
    assert nothing.class_names('a,b') == ('a', 'b')


def test_many_images_take_little_room(tmp_path):
    """Half of them have another suffix and prefix, and 30 characters."""
    images = {}
    for number in range(15_000):
        name = f'{number:030}'
        prefix, folder = ('b/', 'B') if number % 2 else ('', 'A')
        images[prefix + name] = f'{tmp_path}/{folder}/{name}.jpg'
    store = AttentionStore(metadata={DATA_SET: record_data(images, tmp_path)})
    store.save(tmp_path / 'full')
    AttentionStore().save(tmp_path / 'empty')
    sizes = [(tmp_path / n).stat().st_size for n in ('full', 'empty')]
    assert sizes[0] - sizes[1] < 1e6
    opened = AttentionStore.open(tmp_path / 'full')
    assert opened.metadata == store.metadata


@pytest.mark.parametrize('images', [[{}], 3, ['x'], [{'root': 3}]])
def test_a_damaged_record_is_refused(images):
    with pytest.raises(ValueError, match=r'^store: its record .*damaged'):
        DataRecord({'images': images}, 'store')


@pytest.mark.parametrize('text', ['[]', '3', '{"format": "web", "a": 1}'])
def test_a_manifest_of_others_says_nothing(tmp_path, text):
    (tmp_path / 'manifest.json').write_text(text)
    data = DataRecord.of_labels(tmp_path)
    assert not any((data.classes, data.images, data.masks))


@pytest.mark.parametrize(
    'text', ['{"for', '{"format": "oaa_mm.manifest", "version": 1}']
)
def test_a_damaged_manifest_is_refused(tmp_path, text):
    (tmp_path / 'manifest.json').write_text(text)
    with pytest.raises(ValueError, match=r'manifest\.json is (not )?a '):
        DataRecord.of_labels(tmp_path)
