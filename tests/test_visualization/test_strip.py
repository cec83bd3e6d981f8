"""What a strip shows, and where."""

import numpy as np
import pytest

from oaa_mm.visualization import (
    EpochMaps,
    ImageTiles,
    film_rows,
    overlay_attention,
    strip_rows,
)
from oaa_mm.visualization.grid import (
    CAPTION_HEIGHT,
    HEADER_HEIGHT,
    MARGIN,
    header,
    resize_to_height,
)

NAMES = ('cat', 'cow', 'dog')
HEIGHT = 48
#: Top of the pictures of the first row, and the distance of rows.
TOP = 2 * MARGIN + HEADER_HEIGHT + CAPTION_HEIGHT
STEP = HEIGHT + CAPTION_HEIGHT + MARGIN


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (HEIGHT, 60, 3)).astype(np.uint8)


def maps(*classes, value=200):
    return {c: np.full((4, 5), value, np.uint8) for c in classes}


def tall(rows):
    return MARGIN + HEADER_HEIGHT + MARGIN + rows * STEP


def tile(strip, row, column, width=60):
    top, left = TOP + row * STEP, MARGIN + column * (width + MARGIN)
    return strip[top : top + HEIGHT, left : left + width]


def draw(image, epochs, alpha=0.6, **kwargs):
    tiles = ImageTiles(image, NAMES, alpha=alpha, height=HEIGHT)
    return tiles.draw(strip_rows(tiles, epochs, **kwargs), 'x')


def test_two_rows_a_above_m(image):
    epochs = [
        EpochMaps(1, maps(0, value=99), None),
        EpochMaps(2, maps(0), maps(0, value=220)),
    ]
    mask = np.ones((HEIGHT, 60), np.uint8)
    strip = draw(image, epochs, mask=mask, alpha=0.5)
    assert strip.shape == (tall(2), 3 * (60 + MARGIN) + MARGIN, 3)
    np.testing.assert_array_equal(tile(strip, 0, 0), image)
    for row, column, expected in (
        (0, 1, epochs[0].current),
        (0, 2, epochs[1].current),
        (1, 2, epochs[1].accumulated),
    ):
        np.testing.assert_array_equal(
            tile(strip, row, column),
            overlay_attention(image, expected, alpha=0.5),
        )
    # M has not started: an empty tile, grey but for its text.
    empty = tile(strip, 1, 1)
    assert np.mean(empty == 242) > 0.8
    assert empty.min() < 200
    # The mask: half image, half the first class's dark red.
    np.testing.assert_allclose(
        tile(strip, 1, 0), 0.5 * image + 0.5 * np.array([128, 0, 0]), atol=1
    )


def test_one_row_without_single_epochs(image):
    epochs = [EpochMaps(2, None, maps(0)), EpochMaps(3, None, maps(0))]
    mask = np.ones((HEIGHT, 60), np.uint8)
    strip = draw(image, epochs, mask=mask)
    assert strip.shape[:2] == (tall(1), 4 * (60 + MARGIN) + MARGIN)
    np.testing.assert_array_equal(
        tile(strip, 0, 2), overlay_attention(image, maps(0))
    )
    assert draw(image, epochs).shape[1] == 3 * (60 + MARGIN) + MARGIN


def test_blended_rows_show_the_whole_mask(image):
    mask = np.full((HEIGHT, 60), 3, np.uint8)
    strip = draw(image, [EpochMaps(2, None, maps(0))], mask=mask, alpha=1)
    # Class 2 has no map, but it is in the mask.
    shown = tile(strip, 0, 2).reshape(-1, 3)
    assert np.unique(shown, axis=0).tolist() == [[128, 128, 0]]


def test_rows_of_each_class(image):
    epochs = [EpochMaps(1, None, maps(0, 2)), EpochMaps(2, None, maps(2))]
    mask = np.full((HEIGHT, 60), 3, np.uint8)
    strip = draw(image, epochs, mask=mask, per_class=True, alpha=1)
    assert strip.shape[0] == tall(2)
    np.testing.assert_array_equal(
        tile(strip, 0, 1), overlay_attention(image, maps(0), alpha=1)
    )
    np.testing.assert_array_equal(
        tile(strip, 1, 2), overlay_attention(image, maps(2), alpha=1)
    )
    # Class 0 has no map at epoch 2 and no pixel in the mask.
    assert np.mean(tile(strip, 0, 2) == 242) > 0.8
    assert tile(strip, 0, 3).max() == 0
    assert tile(strip, 1, 3).reshape(-1, 3).max(0).tolist() == [128, 128, 0]


@pytest.mark.parametrize('size', [(30, 100), (500, 375), (700, 90)])
def test_tiles_have_one_height_and_keep_proportions(size):
    image = np.zeros((*size, 3), np.uint8)
    small = resize_to_height(image, 200)
    assert small.shape[0] == 200
    assert small.shape[1] == pytest.approx(size[1] * 200 / size[0], abs=0.5)
    tiles = ImageTiles(image, NAMES)
    strip = tiles.draw(strip_rows(tiles, [EpochMaps(1, maps(0), None)]), 'x')
    assert strip.shape[1] >= 2 * small.shape[1] + 3 * MARGIN


def test_frames_of_a_film_have_one_size_and_legend(image):
    epochs = [EpochMaps(1, maps(0)), EpochMaps(2, maps(0), maps(0, 2))]
    tiles = ImageTiles(image, NAMES, height=HEIGHT)
    frames = film_rows(tiles, epochs, np.ones((HEIGHT, 60), np.uint8))
    first, last = (tiles.draw(rows, 'x') for rows in frames)
    # Image, A, M and the mask.
    assert (
        first.shape == last.shape == (tall(1), 4 * (60 + MARGIN) + MARGIN, 3)
    )
    top = MARGIN + HEADER_HEIGHT
    np.testing.assert_array_equal(first[:top], last[:top])
    assert np.mean(tile(first, 0, 2) == 242) > 0.8
    np.testing.assert_array_equal(
        tile(last, 0, 2), overlay_attention(image, maps(0, 2))
    )


def test_legend_names_classes_of_maps_and_mask(image):
    mask = np.zeros((HEIGHT, 60), np.uint8)
    mask[0, 0], mask[0, 1] = 3, 255
    strip = draw(image, [EpochMaps(1, maps(0), maps(0))], mask=mask)
    top = strip[: HEADER_HEIGHT + MARGIN].reshape(-1, 3).tolist()
    assert top.count([128, 0, 0]) >= 196  # a square of 14 x 14
    assert top.count([128, 128, 0]) >= 196
    assert top.count([0, 128, 0]) == 0


def test_header_fits_its_text():
    names = [('a long class name', (1, 2, 3)), ('b', (4, 5, 6))]
    wide = header('2007_000032', names)
    assert wide.shape[0] == HEADER_HEIGHT
    # Nothing is cut off at the right end.
    assert (wide[:, -4:] == 255).all()
    assert wide.shape[1] > header('2007_000032', names[:1]).shape[1]


@pytest.mark.parametrize(
    ('epochs', 'mask', 'match'),
    [
        ([], None, 'at least one epoch'),
        ([EpochMaps(1, maps(3))], None, 'class 3.*only 3 class names: cat'),
        (
            [EpochMaps(1, maps(0))],
            np.zeros((2, 2), np.uint8),
            r'mask is \(2, 2\)',
        ),
    ],
)
def test_errors(image, epochs, mask, match):
    with pytest.raises(ValueError, match=match):
        draw(image, epochs, mask=mask)
