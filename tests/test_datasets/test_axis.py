"""What happened to the rows or columns of an image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.datasets.transforms.axis import trace_axis


@settings(max_examples=60)
@given(length=st.integers(3, 40), data=st.data())
def test_rolled_axis_is_refused(length, data):
    shift = data.draw(st.integers(1, length - 1))
    rolled = np.roll(np.arange(length), shift)
    assert trace_axis(rolled, length) is None
    assert trace_axis(rolled, length, resize_hint=True) is None


@pytest.mark.parametrize(
    ('pixels', 'length', 'hint', 'expected'),
    [
        ([0, 1, 2, 3], 4, False, ((0, 4), False, False)),  # nothing
        ([0, 1, 2, 3], 4, True, ((0, 4), False, False)),
        ([3, 2, 1, 0], 4, False, ((0, 4), True, False)),  # flip
        ([1, 2], 4, False, ((1, 3), False, False)),  # crop
        ([2, 1], 4, False, ((1, 3), True, False)),  # crop and flip
        ([3], 4, False, ((3, 4), False, False)),  # crop to one pixel
        ([0], 4, True, ((0, 4), False, True)),  # resize to one pixel
        ([0, 1, 2], 4, False, ((0, 3), False, False)),  # crop by one
        ([0, 1, 2], 4, True, ((0, 4), False, True)),  # resize by one
        ([2, 1, 0], 4, True, ((0, 4), True, True)),
        ([0, 2], 4, False, ((0, 4), False, True)),  # halved
        ([2, 0], 4, False, ((0, 4), True, True)),
        ([0, 0, 1, 1], 2, False, ((0, 2), False, True)),  # doubled
        ([1, 1, 0, 0], 2, False, ((0, 2), True, True)),
        ([0, 0, 0], 1, False, ((0, 1), False, True)),
        ([0, 1, 3, 4], 6, False, ((0, 6), False, True)),  # 2 / 3
    ],
)
def test_trace_of_an_axis_by_hand(pixels, length, hint, expected):
    trace = trace_axis(np.array(pixels), length, resize_hint=hint)
    assert (trace.kept, trace.flipped, trace.resized) == expected


@pytest.mark.parametrize(
    ('pixels', 'length'),
    [
        ([1, 2, 3, 0], 4),  # rolled
        ([0, 2, 1, 3], 4),  # swapped
        ([4, 6, 8, 10], 12),  # cropped and resized at once
        ([0, 0, 0, 0, 0, 11], 12),
        ([0, 0, 0, 0, 0, 0, 0, 0], 8),
    ],
)
def test_other_changes_of_an_axis_have_no_trace(pixels, length):
    assert trace_axis(np.array(pixels), length) is None
