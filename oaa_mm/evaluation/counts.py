"""Pixels counted: masks against labels, and against attention at all levels.

All that the scores need of a data set is one joint histogram, and histograms
of images add up, so images may come in any order and from any number of
processes.

- Labels: ``H[g, p]``, the number of pixels with mask value g (0 background,
  c + 1 class c) and label p, whose last column stands for 255.
- Attention: ``H[g, k, v]``, the number of pixels with mask value g whose
  strongest attention is class k's, with value v. The label at level T
  (0..255, threshold t = T / 255) is k + 1 where v >= T and v > 0, else
  background. For a threshold t between two levels, v >= 255 t holds for the
  same pixels as at the next higher level.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oaa_mm.attention import attention_to_image
from oaa_mm.checks import check_choice
from oaa_mm.io import IGNORE_INDEX, classes_in

#: Values of a uint8 attention map, each of which is a threshold.
NUM_LEVELS = 256
#: Treatments of pixels that the mask marks 255, where maps are scored.
IGNORE_POLICIES = ('drop', 'background')


def label_matrix(
    label: np.ndarray, mask: np.ndarray, num_classes: int
) -> np.ndarray:
    """Count the pixels of one label.

    Args:
        label (np.ndarray): (H, W) uint8: 0 background, c + 1 class c, 255
            ignored.
        mask (np.ndarray): (H, W) uint8 with the same meaning; its pixels of
            255 are dropped.
        num_classes (int): The number C of foreground classes.

    Returns:
        np.ndarray: (C + 1, C + 2) int64, mask values x labels; the last
        column counts labels of 255.

    Raises:
        ValueError: Sizes differ, or a value is no class.
    """
    _check_size('label', label, mask)
    truth, found = _where(mask != IGNORE_INDEX, mask, label)
    ignored = found == IGNORE_INDEX
    _check_values('mask', truth, num_classes)
    _check_values('label', found[~ignored], num_classes)
    found[ignored] = num_classes + 1
    return _count((truth, found), (num_classes + 1, num_classes + 2))


def attention_histogram(
    winner: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray,
    num_classes: int,
    *,
    ignore: str = 'drop',
) -> np.ndarray:
    """Count the pixels of one image's strongest attention.

    Args:
        winner (np.ndarray): (H, W) strongest class, 0..C - 1.
        value (np.ndarray): (H, W) uint8, the attention of that class.
        mask (np.ndarray): (H, W) uint8: 0 background, c + 1 class c, 255
            ignored.
        num_classes (int): The number C of foreground classes.
        ignore (str): ``'drop'`` leaves pixels of mask value 255 out,
            ``'background'`` counts them as background. Defaults to
            ``'drop'``.

    Returns:
        np.ndarray: (C + 1, C, 256) int64 pixel counts.

    Raises:
        ValueError: Sizes differ, a value is no class, or `ignore` is unknown.
    """
    check_choice('ignore', ignore, IGNORE_POLICIES)
    _check_size('attention', value, mask)
    if ignore == 'background':
        mask = np.where(mask == IGNORE_INDEX, 0, mask)
    arrays = _where(mask != IGNORE_INDEX, mask, winner, value)
    _check_values('mask', arrays[0], num_classes)
    return _count(arrays, (num_classes + 1, num_classes, NUM_LEVELS))


def label_at(
    attention: Mapping[int, np.ndarray],
    size: tuple[int, int],
    threshold: float,
) -> np.ndarray:
    """The label that maps give at a threshold.

    Args:
        attention (Mapping[int, np.ndarray]): See :func:`count_image`.
        size (tuple[int, int]): Height and width of the mask in pixels.
        threshold (float): In [0, 1].

    Returns:
        np.ndarray: (H, W) uint8, 0 background and c + 1 class c.
    """
    winner, value = strongest_class(resized(attention, size), size)
    found = (value >= 255 * threshold) & (value > 0)
    return np.where(found, winner + 1, 0).astype(np.uint8)


def strongest_class(
    attention: Mapping[int, np.ndarray], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The strongest class of each pixel and its attention.

    Args:
        attention (Mapping[int, np.ndarray]): Class index -> (H, W) uint8 map.
        size (tuple[int, int]): Height H and width W in pixels, for images
            without any map.

    Returns:
        tuple[np.ndarray, np.ndarray]: (H, W) class indices, the lowest one
        where classes tie, and (H, W) uint8 values. Both are 0 everywhere
        where `attention` is empty.
    """
    if not attention:
        return np.zeros(size, np.int64), np.zeros(size, np.uint8)
    classes = sorted(attention)
    stack = np.stack([attention[index] for index in classes])
    return np.asarray(classes)[stack.argmax(0)], stack.max(0)


def resized(
    attention: Mapping[int, np.ndarray], size: tuple[int, int]
) -> dict[int, np.ndarray]:
    """Maps of any resolution as uint8 maps of the size of their image."""
    return {c: attention_to_image(a, size) for c, a in attention.items()}


@dataclass(frozen=True, eq=False)
class ImageCounts:
    """The share of one image in the counts of a data set: some kilobytes.

    Attributes:
        index (np.ndarray): (n,) int32 flat indices of the entries of its
            histogram that are not zero.
        pixels (np.ndarray): (n,) int64, the counts there.
        attention_sum (float): The sum of its maps, in [0, 1] per cell.
        cells (int): How many values its maps have.
        missing_pairs (int): Classes of its mask without a map, where it has
            any map.
    """

    index: np.ndarray
    pixels: np.ndarray
    attention_sum: float
    cells: int
    missing_pairs: int

    def add_to(self, histogram: np.ndarray) -> None:
        """Add the pixels to a (C + 1, C, 256) histogram, in place."""
        histogram.reshape(-1)[self.index] += self.pixels  # each occurs once


def count_image(
    attention: Mapping[int, np.ndarray],
    mask: np.ndarray,
    num_classes: int,
    *,
    ignore: str = 'drop',
) -> ImageCounts:
    """Count the pixels of one image from its maps at any resolution.

    Args:
        attention (Mapping[int, np.ndarray]): Class index -> (h, w) map, uint8
            0..255 or float 0..1; resized (cubic) to the mask and min-max
            normalised, as for pseudo labels.
        mask (np.ndarray): (H, W) uint8: 0 background, c + 1 class c, 255
            ignored.
        num_classes (int): The number C of foreground classes.
        ignore (str): See :func:`attention_histogram`.

    Returns:
        ImageCounts: The counts.

    Raises:
        ValueError: See :func:`attention_histogram`.
    """
    last = max(attention, default=0)
    if last >= num_classes:  # also where it is nowhere the strongest
        raise ValueError(
            f'there is attention for class {last}, but {num_classes} classes '
            f'allow 0..{num_classes - 1}'
        )
    winner, value = strongest_class(resized(attention, mask.shape), mask.shape)
    histogram = attention_histogram(
        winner, value, mask, num_classes, ignore=ignore
    )
    index = np.flatnonzero(histogram)
    missing = set(classes_in(mask)) - set(attention) if attention else ()
    return ImageCounts(
        index=index.astype(np.int32),
        pixels=histogram.ravel()[index],
        attention_sum=sum(
            a.sum(dtype=np.float64) / (255 if a.dtype == np.uint8 else 1)
            for a in attention.values()
        ),
        cells=sum(a.size for a in attention.values()),
        missing_pairs=len(missing),
    )


def _count(arrays: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """How often each combination of values occurs."""
    joint = np.ravel_multi_index(arrays, shape)
    return np.bincount(joint, minlength=math.prod(shape)).reshape(shape)


def _where(keep: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    return [array[keep].astype(np.intp) for array in arrays]


def _check_size(name: str, values: np.ndarray, mask: np.ndarray) -> None:
    if values.shape != mask.shape:
        raise ValueError(
            f'the {name} is {values.shape} (H, W), but the mask is '
            f'{mask.shape}'
        )


def _check_values(name: str, values: np.ndarray, num_classes: int) -> None:
    highest = values.max(initial=0)
    if highest > num_classes:
        raise ValueError(
            f'the {name} holds the value {highest}, but {num_classes} classes '
            f'allow 0..{num_classes} and {IGNORE_INDEX}'
        )
