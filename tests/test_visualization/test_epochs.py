"""Stores of a work_dir, and the images to draw."""

import cv2
import numpy as np
import pytest

from oaa_mm.attention import AttentionStore
from oaa_mm.io import find_images, write_mask
from oaa_mm.visualization import (
    choose_ids,
    draw_pictures,
    find_epochs,
    load_epochs,
    select_epochs,
    strip_rows,
)


def make_store(path, *image_ids):
    store = AttentionStore()
    for image_id in image_ids:
        store[image_id, 0] = np.full((3, 4), 255, np.uint8)
    store.save(path)


@pytest.fixture
def work_dir(tmp_path):
    """M after epochs 2, 3, 10; A of epochs 1 and 10."""
    for epoch in (2, 3, 10):
        make_store(tmp_path / f'attention_epoch_{epoch}.safetensors', 'a', 'b')
    for epoch in (1, 10):
        make_store(tmp_path / f'epoch_maps_{epoch}.safetensors', 'a', 'c')
    (tmp_path / 'attention_epoch_7.safetensors.tmp').touch()
    (tmp_path / 'epoch_3.pth').touch()
    return tmp_path


def test_epochs_are_found_in_numeric_order(work_dir):
    assert find_epochs(work_dir) == ([2, 3, 10], [1, 10])


@pytest.mark.parametrize(
    ('wanted', 'epochs'),
    [
        (None, [1, 2, 3, 10]),
        (['last'], [10]),
        (['3', 'last', '1', '10'], [1, 3, 10]),
    ],
)
def test_select_epochs(work_dir, wanted, epochs):
    assert select_epochs(work_dir, wanted) == epochs


def test_epochs_are_spread_evenly(tmp_path):
    for epoch in range(2, 15):
        make_store(tmp_path / f'attention_epoch_{epoch}.safetensors', 'a')
    assert select_epochs(tmp_path, at_most=4) == [2, 6, 10, 14]
    assert select_epochs(tmp_path, at_most=1) == [14]
    assert select_epochs(tmp_path, at_most=99) == list(range(2, 15))


def test_epoch_before_any_store_is_an_empty_column(tmp_path):
    make_store(tmp_path / 'attention_epoch_2.safetensors', 'a')
    assert select_epochs(tmp_path, ['1', '2']) == [1, 2]
    first, second = load_epochs(tmp_path, [1, 2])
    assert first.accumulated is None
    assert first.current is None
    assert first.reason == 'not started'
    assert first.maps_of('a').accumulated is None
    np.testing.assert_array_equal(
        second.maps_of('a').accumulated[0], np.full((3, 4), 255)
    )
    assert second.maps_of('z').accumulated == {}


@pytest.mark.parametrize(
    ('wanted', 'error', 'match'),
    [
        (['5'], FileNotFoundError, r'epoch 5; .*\[2, 3, 10\].*\[1, 10\]'),
        (['0'], FileNotFoundError, 'epoch 0'),
        (['first'], ValueError, "number from 1 or 'last'.*'first'"),
    ],
)
def test_bad_epochs(work_dir, wanted, error, match):
    with pytest.raises(error, match=match):
        select_epochs(work_dir, wanted)


def test_folder_without_stores(tmp_path):
    with pytest.raises(FileNotFoundError, match='train with OAAHook'):
        find_epochs(tmp_path)
    with pytest.raises(FileNotFoundError, match='no such work_dir'):
        find_epochs(tmp_path / 'absent')


def test_reason_of_a_deleted_store(work_dir):
    (work_dir / 'attention_epoch_10.safetensors').unlink()
    (only,) = load_epochs(work_dir, [10])
    assert only.reason == 'not stored'


def test_choose_images(work_dir):
    epochs = load_epochs(work_dir, [3, 10])
    known = {i for e in epochs for store in e.stores for i in store.image_ids}
    assert choose_ids(known, ids=['c', 'a', 'c']) == ['c', 'a']
    assert choose_ids(known, number=9) == ['a', 'b', 'c']
    assert len(choose_ids(known, number=2)) == 2
    drawn = {tuple(choose_ids(known, number=1, seed=s)) for s in range(20)}
    assert drawn == {('a',), ('b',), ('c',)}
    with pytest.raises(ValueError, match=r'maps of x, z .*a, b, c'):
        choose_ids(known, ids=['z', 'a', 'x'])
    with pytest.raises(ValueError, match='random images should be .*got 0'):
        choose_ids(known, number=0)
    with pytest.raises(ValueError, match='no attention map to draw'):
        choose_ids([], number=1)


def draw(work_dir, epochs, out, **kwargs):
    stores = load_epochs(work_dir, epochs)
    draw_pictures(
        {'a': out},
        lambda image_id, tiles, mask: [
            strip_rows(tiles, [s.maps_of(image_id) for s in stores], mask)
        ],
        images=find_images(work_dir, ['a']),
        class_names=('cat',),
        **kwargs,
    )


def test_draw_strips(work_dir):
    red = np.zeros((30, 40, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes blue, green, red
    cv2.imwrite(str(work_dir / 'a.png'), red)
    path = work_dir / 'out/a.png'
    draw(work_dir, [1, 10], path, height=60)
    strip = cv2.imread(str(path))[..., ::-1]
    # Header, two rows of 60 pixels with captions, and margins.
    assert strip.shape[0] == 30 + 2 * (20 + 60) + 4 * 8
    assert (strip[70:120, 20:80] == (255, 0, 0)).all()


def test_images_that_do_not_fit(work_dir, tmp_path):
    path = tmp_path / 'out/a.png'
    with pytest.raises(FileNotFoundError, match='images do not exist: .*a'):
        draw(work_dir, [10], path)
    (tmp_path / 'a.jpg').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'a\.jpg: not a readable'):
        draw(work_dir, [10], path)
    cv2.imwrite(str(tmp_path / 'a.jpg'), np.zeros((9, 9, 3), np.uint8))
    masks = {'a': tmp_path / 'masks/a.png'}
    write_mask(masks['a'], np.zeros((8, 9), np.uint8))
    with pytest.raises(ValueError, match=r'a\.jpg: the mask is \(8, 9\)'):
        draw(work_dir, [10], tmp_path / 'out/a.png', masks=masks)
    assert not (tmp_path / 'out').exists()
