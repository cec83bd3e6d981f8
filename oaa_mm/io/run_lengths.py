"""Masks as COCO's run lengths."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def decode_run_lengths(
    rle: Mapping[str, Any], size: tuple[int, int]
) -> np.ndarray:
    """A mask of COCO's run lengths.

    pycocotools reads them as well, but where they are damaged it writes
    outside of its memory.

    Args:
        rle (Mapping[str, Any]): `size`, height and width, and `counts`, the
            lengths of the runs outside and inside in turn, down the columns:
            a list, or COCO's text.
        size (tuple[int, int]): Height and width that the mask should have.

    Returns:
        np.ndarray: (H, W) bool.

    Raises:
        KeyError: `size` or `counts` is absent.
        ValueError: The mask has another size, or the runs do not fill it.
    """
    height, width = size
    counts = rle['counts']
    if isinstance(counts, str):
        counts = _read_counts(counts)
    counts = np.asarray(counts)
    fits = list(rle['size']) == list(size) and counts.ndim == 1
    fits = fits and counts.dtype.kind in 'iu'
    # No single run is longer than the mask, so that the sum cannot overflow.
    fits = fits and ((counts >= 0) & (counts <= height * width)).all()
    if not fits or counts.sum() != height * width:
        raise ValueError(
            f'its run lengths, of the size {rle["size"]}, are not those of an '
            f'image of {height} x {width} pixels (height x width)'
        )
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(width, height).T


def _read_counts(text: str) -> np.ndarray:
    """COCO's text: numbers of 5 bits a letter, the lowest first.

    Bit 6 says that another letter follows, bit 5 of the last one is the sign.
    From the fourth on, a number is the difference to the one before the last.
    A damaged text gives any numbers.
    """
    letters = np.array([*text.encode('ascii')], int) - 48
    last = np.flatnonzero(letters < 32)
    if not last.size:
        return last
    lengths = np.diff(last, prepend=-1)
    first = last - lengths + 1
    place = np.arange(last[-1] + 1) - np.repeat(first, lengths)
    letters = letters[: last[-1] + 1]
    counts = np.add.reduceat((letters & 31) << 5 * place, first)
    counts -= (letters[last] & 16 > 0) << 5 * lengths
    for odd in (1, 2):
        counts[odd::2] = counts[odd::2].cumsum()
    return counts
