"""Attention maps against masks, at every uint8 threshold in one pass.

All that the scores need of a data set is one joint histogram ``H[g, k, v]``:
the number of pixels with mask value g (0 background, c + 1 class c) whose
strongest attention is class k's, with value v. Histograms of images add up,
so images may come in any order and from any number of processes.

The label at level T (0..255, threshold t = T / 255) is k + 1 where v >= T and
v > 0, else background. For a threshold t between two levels, v >= 255 t holds
for the same pixels as at the next higher level.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from oaa_mm.attention import attention_to_image
from oaa_mm.checks import check_choice

from .scores import NUM_LEVELS, AttentionScores

#: Flat indices of what is not zero, and the counts there.
SparseHistogram = tuple[np.ndarray, np.ndarray]

#: What becomes of pixels that the mask marks 255.
IGNORE_POLICIES = ('drop', 'background')


def attention_winner(
    attention: Mapping[int, np.ndarray], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The strongest class of each pixel and its attention.

    Args:
        attention (Mapping[int, np.ndarray]): Class index -> (H, W) uint8 map.
        size (tuple[int, int]): Height H and width W in pixels; what tells the
            shape where `attention` is empty.

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


def attention_histogram(
    winner: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray,
    num_classes: int,
    *,
    ignore: str = 'drop',
    ignore_index: int = 255,
) -> np.ndarray:
    """Joint histogram of one image.

    Args:
        winner (np.ndarray): (H, W) strongest class, 0..C - 1.
        value (np.ndarray): (H, W) uint8, the attention of that class.
        mask (np.ndarray): (H, W) uint8: 0 background, c + 1 class c.
        num_classes (int): The number C of foreground classes.
        ignore (str): ``'drop'`` leaves pixels of `ignore_index` out,
            ``'background'`` counts them as background. Defaults to
            ``'drop'``.
        ignore_index (int): Defaults to 255.

    Returns:
        np.ndarray: (C + 1, C, 256) int64 pixel counts.

    Raises:
        ValueError: Shapes differ, a value is no class, or `ignore` is unknown.
    """
    check_choice('ignore', ignore, IGNORE_POLICIES)
    if not winner.shape == value.shape == mask.shape:
        raise ValueError(
            f'the mask is {mask.shape} (H, W), but the attention is '
            f'{value.shape}'
        )
    truth = mask.astype(np.int64)
    ignored = truth == ignore_index
    if ignore == 'drop':
        keep = ~ignored
        truth, winner, value = truth[keep], winner[keep], value[keep]
    else:
        truth[ignored] = 0
    _check_range(truth, winner, num_classes)
    joint = (truth * num_classes + winner) * NUM_LEVELS + value
    shape = (num_classes + 1, num_classes, NUM_LEVELS)
    counts = np.bincount(joint.ravel(), minlength=math.prod(shape))
    return counts.reshape(shape)


def _check_range(
    truth: np.ndarray, winner: np.ndarray, num_classes: int
) -> None:
    if truth.size and truth.max() > num_classes:
        raise ValueError(
            f'the mask holds the value {truth.max()}, but {num_classes} '
            f'classes allow 0..{num_classes} and the ignore index'
        )
    if winner.size:
        _check_class(winner.max(), num_classes)


def _check_class(class_index: int, num_classes: int) -> None:
    if class_index >= num_classes:
        raise ValueError(
            f'there is attention for class {class_index}, but '
            f'{num_classes} classes allow 0..{num_classes - 1}'
        )


def image_histogram(
    attention: Mapping[int, np.ndarray],
    mask: np.ndarray,
    num_classes: int,
    *,
    ignore: str = 'drop',
) -> np.ndarray:
    """Joint histogram of one image from its maps at any resolution.

    Args:
        attention (Mapping[int, np.ndarray]): Class index -> (h, w) map, uint8
            0..255 or float 0..1; resized (cubic) to the mask and min-max
            normalised, as for pseudo labels.
        mask (np.ndarray): (H, W) uint8: 0 background, c + 1 class c, 255
            ignored.
        num_classes (int): The number C of foreground classes.
        ignore (str): See :func:`attention_histogram`.

    Returns:
        np.ndarray: (C + 1, C, 256) int64 pixel counts.

    Raises:
        ValueError: See :func:`attention_histogram`.
    """
    # Also where the class is nowhere the strongest.
    _check_class(max(attention, default=0), num_classes)
    large = {
        index: attention_to_image(small, mask.shape)
        for index, small in attention.items()
    }
    winner, value = attention_winner(large, mask.shape)
    return attention_histogram(winner, value, mask, num_classes, ignore=ignore)


def to_sparse(histogram: np.ndarray) -> SparseHistogram:
    """The non-zero entries of a histogram: some kilobytes for an image.

    Args:
        histogram (np.ndarray): (C + 1, C, 256) pixel counts.

    Returns:
        SparseHistogram: Two (n,) arrays, flat indices and counts.
    """
    index = np.flatnonzero(histogram)
    return index.astype(np.int32), histogram.ravel()[index]


def add_sparse(histogram: np.ndarray, sparse: SparseHistogram) -> None:
    """Add what :func:`to_sparse` returned to a histogram, in place.

    Args:
        histogram (np.ndarray): (C + 1, C, 256) int64 counts, contiguous.
        sparse (SparseHistogram): Entries of an equally shaped histogram.
    """
    index, counts = sparse
    histogram.reshape(-1)[index] += counts  # indices occur once


def score_histogram(histogram: np.ndarray) -> AttentionScores:
    """Scores at all 256 levels from the joint histogram of a data set.

    Args:
        histogram (np.ndarray): (C + 1, C, 256) pixel counts.

    Returns:
        AttentionScores: IoU, precision and recall of each class and level.

    Raises:
        ValueError: The histogram holds no pixel.
    """
    counts = histogram.astype(np.int64)
    if not counts.any():
        raise ValueError(
            'the masks hold no pixel to compare with: check the list of '
            'images, and whether every mask is all 255'
        )
    counts[..., 0] = 0  # a value of zero is background at every level
    # called[g, k, T]: pixels of mask value g that are labelled k + 1.
    called = counts[..., ::-1].cumsum(-1)[..., ::-1]
    labelled = histogram.sum((1, 2))[:, None]  # (C + 1, 1)
    hit, predicted = _hits_and_predictions(called, labelled)
    foreground_hit = called[1:].sum((0, 1))
    return AttentionScores(
        iou=_ratio(hit, predicted + labelled - hit),
        precision=_ratio(hit, predicted),
        recall=_ratio(hit, np.broadcast_to(labelled, hit.shape)),
        occurs=labelled[:, 0] > 0,
        foreground_precision=_ratio(foreground_hit, called.sum((0, 1))),
        foreground_recall=_ratio(foreground_hit, labelled[1:].sum()),
    )


def _hits_and_predictions(
    called: np.ndarray, labelled: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(C + 1, 256) correct pixels and predicted pixels of each class."""
    classes = np.arange(called.shape[1])
    missed = labelled - called.sum(1)  # pixels that are left background
    hit = np.concatenate([missed[:1], called[classes + 1, classes]])
    predicted = np.concatenate([missed.sum(0)[None], called.sum(0)])
    return hit, predicted


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Element-wise part / whole; NaN where there is nothing to divide."""
    out = np.full(part.shape, np.nan)
    return np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
