"""The effect of a transform on the rows, or the columns, of an image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AxisTrace:
    """The effect of one transform on one axis.

    Attributes:
        kept (tuple[int, int]): First pixel kept and the one after the last.
        flipped (bool): Whether the order is reversed.
        resized (bool): Whether the whole axis was resized.
    """

    kept: tuple[int, int]
    flipped: bool
    resized: bool


def trace_axis(
    pixels: np.ndarray, length: int, *, resize_hint: bool = False
) -> AxisTrace | None:
    """Tell from the source pixels of an axis what happened to it.

    Args:
        pixels (np.ndarray): (n,) index of the source pixel of each pixel.
        length (int): Length of the axis before.
        resize_hint (bool): The transform says that it resized: a resize from
            n + 1 to n pixels looks like a crop. Defaults to False.

    Returns:
        AxisTrace | None: None if it is no flip, crop or resize of the whole.
    """
    count = len(pixels)
    flipped = bool(count > 1 and pixels[0] > pixels[-1])
    if flipped:
        pixels = pixels[::-1]
    steps = np.diff(pixels)
    consecutive = bool((steps == 1).all())
    if consecutive and not (resize_hint and count != length):
        first = int(pixels[0])
        return AxisTrace((first, first + count), flipped, False)
    ratio = length / count
    ideal = np.arange(count) * ratio
    # Nearest pixels lie at the start or in the middle of what they stand for.
    if (steps >= 0).all() and np.abs(pixels - ideal).max() <= ratio / 2 + 1:
        return AxisTrace((0, length), flipped, True)
    return None
