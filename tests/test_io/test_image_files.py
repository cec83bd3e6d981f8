"""Which file belongs to an image."""

import os
import time

import pytest

from oaa_mm.io import ImageFolder, find_by_id, find_images
from oaa_mm.tags import read_image_list


@pytest.fixture
def folder(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / 'img' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return str(tmp_path / 'img')

    return make


def test_any_suffix_in_any_case(folder):
    root = folder('a.jpg', 'b.TIF', 'c.v2.PNG', 'notes.txt', '._a.jpg')
    assert find_images(root, ['c.v2', 'a', 'b.tif']) == {
        'c.v2': f'{root}/c.v2.PNG',
        'a': f'{root}/a.jpg',
        'b': f'{root}/b.TIF',
    }
    assert list(find_images(root)) == ['a', 'b', 'c.v2']
    with pytest.raises(FileNotFoundError, match=r'/b\.jpg \(there is b\.TIF'):
        find_images(root, ['b.jpg'])


def test_sub_folders_belong_to_the_id(folder):
    root = folder('a/000.jpg', 'b/000.jpg', '1.jpg')
    files = find_images(root, ['b/000', 'a\\000.jpg', '/img/1.jpg'])
    assert files == {
        'b/000': f'{root}/b/000.jpg',
        'a/000': f'{root}/a/000.jpg',
        '1': f'{root}/1.jpg',
    }
    assert list(find_images(root)) == ['1', 'a/000', 'b/000']


def test_two_candidates_are_named_unless_the_suffix_decides(folder):
    root = folder('000.tif', '000.png', '1.jpg', '1.JPG')
    with pytest.raises(ValueError, match=r'000\.png, .*000\.tif; list it'):
        find_images(root, ['000'])
    assert find_images(root, ['000.tif']) == {'000': f'{root}/000.tif'}
    assert find_images(root, ['000'], suffix='.TIF') == {
        '000': f'{root}/000.tif'
    }
    with pytest.raises(ValueError, match=r'1\.JPG, .*1\.jpg'):
        find_images(root, ['1'], suffix='.jpg')
    assert find_images(root, ['1.JPG']) == {'1': f'{root}/1.JPG'}


def test_suffix_with_a_word(folder):
    root = folder('7_sat.jpg', '7_mask.png', '8_SAT.JPG')
    for names in (['7', '8'], ['7_sat.jpg', '8_SAT.JPG'], None):
        assert find_images(root, names, suffix='_sat.jpg') == {
            '7': f'{root}/7_sat.jpg',
            '8': f'{root}/8_SAT.JPG',
        }
    assert find_by_id(root, ['7'], '_mask.png') == {'7': f'{root}/7_mask.png'}


def test_another_suffix_than_that_of_the_data_set(folder):
    root = folder('a.tif', 'b.jpg')
    match = r'1 of 2 .*a\.jpg \(there is a\.tif\).*img_suffix'
    with pytest.raises(FileNotFoundError, match=match):
        find_images(root, ['a', 'b'], suffix='.jpg')
    files = find_images(root, ['a.tif', 'b'], suffix='.jpg')
    assert list(files.values()) == [f'{root}/a.tif', f'{root}/b.jpg']
    assert list(find_images(root, suffix='.jpg')) == ['b']


def test_absent_images_are_named(folder):
    root = folder('a.jpg')
    with pytest.raises(FileNotFoundError, match=r'2 of 3 .*img/x.*img/s/y'):
        find_images(root, ['a', 'x', 's/y'])
    with pytest.raises(FileNotFoundError, match=r'no folder .*gone'):
        find_images(f'{root}/gone', ['a'])


def test_masks_are_mirrored_or_flat(folder):
    root = folder('a/000.png', 'b/000.PNG', '1.png', '1.jpg')
    assert find_by_id(root, ['a/000', 'b/000', 'deep/1']) == {
        'a/000': f'{root}/a/000.png',
        'b/000': f'{root}/b/000.PNG',
        'deep/1': f'{root}/1.png',
    }
    with pytest.raises(ValueError, match=r"1\.png fits .*'x/1' and 'y/1'"):
        find_by_id(root, ['x/1', 'y/1'])


def test_absent_masks(folder):
    root = folder('a.png', 'b.jpg')
    match = r'2 of 3 maps are absent: .*b\.png, .*c\.png'
    with pytest.raises(FileNotFoundError, match=match):
        find_by_id(root, 'abc', kind='maps')
    assert list(find_by_id(root, 'abc', allow_missing=True)) == ['a']
    with pytest.raises(FileNotFoundError, match='no such folder of masks'):
        find_by_id(f'{root}/gone', 'a')


def test_lists_read_by_what_exists(folder, tmp_path):
    root = folder('cat 0.jpg', 'b/1.png')
    path = tmp_path / 'list.txt'
    path.write_text('cat 0\nimg/b/1.png 3\n')
    images = ImageFolder(root)
    rows = read_image_list(path, tags=True, known=images)
    assert [(i, t) for i, _, t in rows] == [('cat 0', ()), ('b/1', (3,))]
    files = find_images(images, [row.name for row in rows])
    assert list(files) == ['cat 0', 'b/1']


def test_a_hundred_thousand_names(tmp_path, monkeypatch):
    names = [f'{number:07}.jpg' for number in range(100_000)]
    path = tmp_path / 'list.txt'
    path.write_text('\n'.join(f'{name} 1' for name in names))
    calls = []
    monkeypatch.setattr(
        os, 'listdir', lambda path: calls.append(path) or list(names)
    )
    start = time.process_time()
    images = ImageFolder(tmp_path)
    rows = read_image_list(path, known=images)
    assert len(find_images(images, [row.name for row in rows])) == 100_000
    assert time.process_time() - start < 5
    assert len(calls) == 1
