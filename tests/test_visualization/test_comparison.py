"""Stages side by side: what is in which column."""

import numpy as np
import pytest

from oaa_mm.visualization import (
    ImageTiles,
    comparison_rows,
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
    tiles = ImageTiles(image, NAMES, alpha=0.5, height=HEIGHT)
    rows = comparison_rows(tiles, {'cam': maps, 'oaa': {}}, {'labels': label})
    picture = tiles.draw(rows, 'x')
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
    tiles = ImageTiles(image, NAMES)
    rows = comparison_rows(tiles, {}, {'labels': label})
    with pytest.raises(ValueError, match=r'class 3.*only 3.*cat, cow, dog'):
        tiles.draw(rows, 'x')
