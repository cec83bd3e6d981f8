"""Stages side by side: what is in which column."""

import cv2
import numpy as np
import pytest

from oaa_mm.attention import AttentionStore
from oaa_mm.io.palette import write_index_png
from oaa_mm.visualization import (
    comparison_row,
    draw_comparisons,
    overlay_attention,
    overlay_mask,
)
from oaa_mm.visualization.grid import CAPTION_HEIGHT, HEADER_HEIGHT, MARGIN

NAMES = ('cat', 'cow', 'dog')
HEIGHT, WIDTH = 48, 60
TOP = 2 * MARGIN + HEADER_HEIGHT + CAPTION_HEIGHT


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def tile(picture, column):
    left = MARGIN + column * (WIDTH + MARGIN)
    return picture[TOP : TOP + HEIGHT, left : left + WIDTH]


def test_columns(image):
    maps = {1: np.full((4, 5), 200, np.uint8)}
    label = np.zeros((HEIGHT, WIDTH), np.uint8)
    label[:20], label[20:30] = 2, 255
    picture = comparison_row(
        image,
        {'cam': maps, 'oaa': {}},
        {'labels': label},
        title='x',
        class_names=NAMES,
        alpha=0.5,
        tile_height=HEIGHT,
    )
    assert picture.shape[1] == 4 * (WIDTH + MARGIN) + MARGIN
    np.testing.assert_array_equal(tile(picture, 0), image)
    np.testing.assert_array_equal(
        tile(picture, 1), overlay_attention(image, maps, alpha=0.5)
    )
    assert len(np.unique(tile(picture, 2)[:8])) == 1  # empty: says so below
    np.testing.assert_array_equal(
        tile(picture, 3), overlay_mask(image, label, alpha=0.5)
    )


def test_a_class_without_a_name_is_refused(image):
    label = np.full((HEIGHT, WIDTH), 4, np.uint8)
    with pytest.raises(ValueError, match=r'class 3.*only 3.*cat, cow, dog'):
        comparison_row(
            image, {}, {'labels': label}, title='x', class_names=NAMES
        )


def test_files_of_stages(image, tmp_path):
    (tmp_path / 'img').mkdir()
    cv2.imwrite(str(tmp_path / 'img/a.png'), image[..., ::-1])
    store = AttentionStore()
    store['a', 0] = np.full((4, 5), 90, np.uint8)
    label = np.ones((HEIGHT, WIDTH), np.uint8)
    write_index_png(tmp_path / 'made/labels/a.png', label)
    mask = np.full((HEIGHT, WIDTH), 3, np.uint8)
    write_index_png(tmp_path / 'masks/a.png', mask)

    def draw(folder):
        return draw_comparisons(
            ['a'],
            tmp_path / 'out',
            stores={'oaa': store},
            label_dirs={'labels': folder},
            img_dir=tmp_path / 'img',
            class_names=NAMES,
            mask_dir=tmp_path / 'masks',
            tile_height=HEIGHT,
        )

    (path,) = draw(tmp_path / 'made')
    picture = cv2.imread(str(path))[..., ::-1]
    np.testing.assert_array_equal(
        tile(picture, 1), overlay_attention(image, {0: store['a', 0]})
    )
    np.testing.assert_array_equal(tile(picture, 2), overlay_mask(image, label))
    np.testing.assert_array_equal(tile(picture, 3), overlay_mask(image, mask))
    with pytest.raises(FileNotFoundError, match='nothing'):
        draw(tmp_path / 'nothing')
