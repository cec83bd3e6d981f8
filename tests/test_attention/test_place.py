"""Undoing augmentation, against un-augmented truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oaa_mm.attention import Placement, to_frame


def ramp(rows, columns):
    """A map that grows by 3 a row and 5 a column: exact under bilinear."""
    return (
        3 * np.arange(rows)[:, None] + 5 * np.arange(columns)[None]
    ).astype(np.uint8)


@given(st.data())
def test_crops_on_the_grid_are_copied_exactly(data):
    rows, columns = data.draw(st.integers(2, 9)), data.draw(st.integers(2, 9))
    top = data.draw(st.integers(0, rows - 1))
    bottom = data.draw(st.integers(top + 1, rows))
    left = data.draw(st.integers(0, columns - 1))
    right = data.draw(st.integers(left + 1, columns))
    flip = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    truth = rng.integers(0, 256, (rows, columns), dtype=np.uint8)
    seen = truth[top:bottom, left:right]
    placement = Placement(
        frame=(rows * 8, columns * 8),
        box=(top * 8, left * 8, bottom * 8, right * 8),
        flip_horizontal=flip,
    )
    placed, cells = to_frame(seen[:, ::-1] if flip else seen, placement)
    expected = np.zeros_like(truth)
    expected[top:bottom, left:right] = seen
    assert np.array_equal(placed, expected)
    assert cells == (slice(top, bottom), slice(left, right))


def test_scale_is_undone_by_interpolation():
    # The network saw the image at twice the size: a linear map of 8x12 cells
    # on a grid of 4x6. Centres of grid cells lie between two map cells.
    placement = Placement(frame=(32, 48), grid=(4, 6))
    placed, _ = to_frame(ramp(8, 12), placement)
    rows, columns = np.arange(4) * 2 + 0.5, np.arange(6) * 2 + 0.5
    expected = 3 * rows[:, None] + 5 * columns[None]
    assert np.abs(placed - expected).max() <= 0.5


def test_crop_between_cells_is_interpolated_and_clipped_to_what_was_seen():
    # Frame 32 px, 4 cells of 8 px, centres 4, 12, 20, 28. Box [10, 26) in x
    # shows the centres 12 and 20; its 2 map cells have the centres 14, 22.
    placement = Placement(frame=(8, 32), box=(0, 10, 8, 26), grid=(1, 4))
    placed, cells = to_frame(np.array([[100, 180]], np.uint8), placement)
    assert cells == (slice(0, 1), slice(1, 3))
    # 12 lies before the first centre (edge value), 20 at 3/4 between them.
    assert placed.tolist() == [[0, 100, 160, 0]]


def test_stacked_maps_are_placed_alike():
    stack = np.stack([ramp(2, 2), ramp(2, 2) + 1])
    placement = Placement(frame=(32, 32), box=(0, 0, 16, 16), grid=(4, 4))
    placed, _ = to_frame(stack, placement)
    for one, single in zip(placed, stack, strict=True):
        assert np.array_equal(one, to_frame(single, placement)[0])


def test_grid_is_scaled_from_the_box_when_not_given():
    placement = Placement(frame=(64, 96), box=(0, 0, 32, 32))
    assert placement.grid_for((4, 4)) == (8, 12)


@pytest.mark.parametrize(
    'box', [(0, 0, 0, 8), (-1, 0, 8, 8), (0, 0, 8, 9), (5, 0, 4, 8)]
)
def test_impossible_boxes_are_refused(box):
    with pytest.raises(ValueError, match='leaves its frame'):
        Placement(frame=(8, 8), box=box)


def test_empty_frame_is_refused():
    with pytest.raises(ValueError, match='empty'):
        Placement(frame=(0, 8))
