"""Taking maps of whole images through the augmentation of their image."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oaa_mm.attention import Placement, from_frame, to_frame


@st.composite
def cropped(draw):
    """A map of a frame, a placement on whole cells and what it shows."""
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    top = draw(st.integers(0, rows - 1))
    bottom = draw(st.integers(top + 1, rows))
    left = draw(st.integers(0, columns - 1))
    right = draw(st.integers(left + 1, columns))
    vertical, horizontal = draw(st.booleans()), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    truth = rng.integers(0, 256, (2, rows, columns), dtype=np.uint8)
    truth *= rng.random(truth.shape) < 0.6
    seen = truth[:, top:bottom, left:right]
    seen = seen[:, ::-1] if vertical else seen
    seen = seen[:, :, ::-1] if horizontal else seen
    placement = Placement(
        frame=(rows * 8, columns * 8),
        box=(top * 8, left * 8, bottom * 8, right * 8),
        flip_vertical=vertical,
        flip_horizontal=horizontal,
    )
    return truth, placement, seen


@given(cropped())
def test_flips_and_crops_on_the_grid_are_exact(case):
    truth, placement, seen = case
    assert np.array_equal(from_frame(truth, placement, seen.shape[1:]), seen)


@given(cropped())
def test_to_frame_brings_it_back(case):
    truth, placement, seen = case
    view = from_frame(truth, placement, seen.shape[1:])
    placed, cells = to_frame(view, replace(placement, grid=truth.shape[1:]))
    assert np.array_equal(placed[(..., *cells)], truth[(..., *cells)])


def test_whole_maps_are_copied():
    maps = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    placement = Placement(frame=(25, 33), flip_horizontal=True)
    view = from_frame(maps, placement, (3, 4))
    assert np.array_equal(view, maps[:, :, ::-1])


def test_a_crop_between_cells_is_interpolated():
    # Frame 32 px of 4 cells with the centres 4, 12, 20, 28. The box [10, 26)
    # in 2 cells has the centres 14 and 22: a quarter of the way from 12 to 20
    # and from 20 to 28.
    maps = np.array([[40, 80, 160, 200]], np.uint8)
    placement = Placement(frame=(8, 32), box=(0, 10, 8, 26))
    assert from_frame(maps, placement, (1, 2)).tolist() == [[100, 170]]
    mirrored = Placement(
        frame=(8, 32), box=(0, 10, 8, 26), flip_horizontal=True
    )
    assert from_frame(maps, mirrored, (1, 2)).tolist() == [[170, 100]]


def test_another_scale_is_interpolated():
    # Twice as many cells: their centres lie a quarter off the old ones, the
    # outermost outside of them.
    maps = np.array([[20, 60, 100]], np.uint8)
    view = from_frame(maps, Placement(frame=(1, 30)), (1, 6))
    assert view.tolist() == [[20, 30, 50, 70, 90, 100]]


def test_zeros_stay_zeros():
    """Doubled, 200 reaches over into 0 as 150 and 50: only the first stays."""
    maps = np.array([[200, 200, 0, 0]], np.uint8)
    view = from_frame(maps, Placement(frame=(8, 32)), (1, 8))
    assert view.tolist() == [[200, 200, 200, 150, 0, 0, 0, 0]]
    # A shift by a hundredth of a cell leaves every zero a zero.
    placement = Placement(frame=(800, 800), box=(0, 2, 800, 798))
    checks = np.indices((4, 4)).sum(0) % 2
    maps = (checks * 255).astype(np.uint8)
    view = from_frame(maps, placement, (4, 4))
    assert np.array_equal(view > 0, maps > 0)


@given(st.integers(0, 999), st.integers(1, 12), st.integers(1, 12))
def test_interpolation_stays_where_attention_was(seed, height, width):
    """Nothing new arises, and mirroring commutes with it."""
    rng = np.random.default_rng(seed)
    maps = rng.integers(0, 256, rng.integers(1, 9, 2), dtype=np.uint8)
    maps *= rng.random(maps.shape) < 0.5
    frame = (64, 64)
    view = from_frame(maps, Placement(frame=frame), (height, width))
    assert view.shape == (height, width)
    assert view.dtype == np.uint8
    assert view.max() <= maps.max()
    if not maps.any():
        assert not view.any()
    if maps.all():
        assert view.min() >= maps.min()
    flipped = from_frame(
        maps[:, ::-1], Placement(frame=frame), (height, width)
    )
    assert np.abs(flipped[:, ::-1].astype(int) - view).max() <= 1


def test_half_of_a_cell_is_enough():
    # One cell in the place of two, then of four: 1 of 2 and 1 of 4 attended.
    placement = Placement(frame=(16, 16))
    pair, one_of_four = np.array([[90, 0]]), np.array([[90, 0], [0, 0]])
    assert from_frame(pair.astype(np.uint8), placement, (1, 1)) == 45
    assert from_frame(one_of_four.astype(np.uint8), placement, (1, 1)) == 0


@pytest.mark.parametrize('size', [(3, 5), [3, 5]])
def test_size_may_be_any_sequence(size):
    maps = np.full((3, 5), 7, np.uint8)
    view = from_frame(maps, Placement(frame=(24, 40)), size)
    assert np.array_equal(view, maps)
