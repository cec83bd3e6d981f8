"""COCO's run lengths, whole ones by hand and damaged ones by chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.io.run_lengths import decode_run_lengths

#: Masks of 4 x 4 and 3 x 40 pixels, and COCO's texts of them as pycocotools
#: encodes them.
SQUARE = np.zeros((4, 4), bool)
SQUARE[1:3, 1:3] = True
STRIPES = np.zeros((3, 40), bool)
STRIPES[:, 2:15] = STRIPES[1, 20:] = True
STRIPES_TEXT = '6W1`0jNB' + '0' * 37 + 'O'


@pytest.mark.parametrize(
    ('mask', 'counts'),
    [
        (SQUARE, '52203'),
        (SQUARE, [5, 2, 2, 2, 5]),  # down the columns, outside first
        (STRIPES, STRIPES_TEXT),
        (np.ones((2, 2), bool), '04'),
        (np.zeros((2, 2), bool), [4]),
    ],
)
def test_by_hand(mask, counts):
    rle = {'size': list(mask.shape), 'counts': counts}
    found = decode_run_lengths(rle, mask.shape)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, mask)


def test_texts_of_pycocotools():
    coco = pytest.importorskip('pycocotools.mask')
    rng = np.random.default_rng(0)
    for density in (0.01, 0.2, 0.5, 0.99):
        for _ in range(20):
            shape = tuple(rng.integers(1, 40, 2))
            mask = rng.random(shape) < density
            rle = coco.encode(np.asfortranarray(mask, np.uint8))
            rle['counts'] = rle['counts'].decode()
            np.testing.assert_array_equal(decode_run_lengths(rle, shape), mask)


numbers = st.integers(-(2**70), 2**70) | st.integers(-3, 20)
damaged = st.one_of(
    st.lists(numbers | st.floats() | st.none(), max_size=8),
    st.text('0123WOo`j', max_size=40),
    st.text(max_size=8),
    st.none(),
)


@settings(max_examples=300)
@given(counts=damaged, size=st.sampled_from([[3, 40], [40, 3], [], [3]]))
def test_damaged_ones_are_refused_or_fill_the_mask(counts, size):
    try:
        mask = decode_run_lengths({'size': size, 'counts': counts}, (3, 40))
    except ValueError:
        return
    assert mask.shape == (3, 40)
    assert size == [3, 40]


def test_another_size_is_named():
    rle = {'size': [4, 4], 'counts': [16]}
    with pytest.raises(ValueError, match=r'\[4, 4\].*of 4 x 5 pixels'):
        decode_run_lengths(rle, (4, 5))
