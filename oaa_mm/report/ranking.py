"""Which images a report shows: chosen, best, worst and random ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from oaa_mm.evaluation import confusion_scores, label_matrix
from oaa_mm.io import read_mask
from oaa_mm.io.progress import progress
from oaa_mm.visualization import choose_ids

from .options import ReportOptions

#: Why an image is shown.
GROUPS = ('chosen', 'best', 'worst', 'random')
#: (image id, (H, W) size) -> (H, W) uint8 label.
Labeller = Callable[[str, tuple[int, int]], np.ndarray]


def image_score(label: np.ndarray, mask: np.ndarray) -> float:
    """Mean IoU over the classes in the mask of one image.

    Args:
        label (np.ndarray): (H, W) uint8; pixels of 255 count as missed.
        mask (np.ndarray): (H, W) uint8; pixels of 255 are dropped.

    Returns:
        float: In [0, 1]; NaN where the mask holds no pixel.

    Raises:
        ValueError: The sizes differ.
    """
    values = np.bincount(label.ravel(), minlength=256)
    values = values + np.bincount(mask.ravel(), minlength=256)
    classes = int(np.flatnonzero(values[:255]).max(initial=0))
    matrix = label_matrix(label, mask, max(classes, 1))
    if not matrix.any():
        return float('nan')
    return confusion_scores(matrix, 'error').best()['mIoU']


def rank_images(
    masks: Mapping[str, str], labeller: Labeller
) -> list[tuple[str, float]]:
    """Score the label of each image that has a mask.

    Args:
        masks (Mapping[str, str]): Image id -> the file of its mask.
        labeller (Labeller): Gives the label of an image.

    Returns:
        list[tuple[str, float]]: Image and :func:`image_score` in percent, best
        first.

    Raises:
        ValueError: A label or mask does not fit; it is named.
    """
    scores = []
    for image_id, path in progress(masks.items(), 'ranking'):
        mask = read_mask(path)
        try:
            score = 100 * image_score(labeller(image_id, mask.shape), mask)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        if not np.isnan(score):
            scores.append((image_id, score))
    return sorted(scores, key=lambda pair: (-pair[1], pair[0]))


def choose_groups(
    known: Sequence[str],
    ranked: Sequence[tuple[str, float]],
    options: ReportOptions,
) -> dict[str, list[str]]:
    """The images to show, and why.

    Args:
        known (Sequence[str]): Images that have maps or labels, sorted.
        ranked (Sequence[tuple[str, float]]): From :func:`rank_images`.
        options (ReportOptions): How many of which.

    Returns:
        dict[str, list[str]]: Image -> those of :data:`GROUPS` that it is in.

    Raises:
        ValueError: A named image is unknown.
    """
    names = [image_id for image_id, _ in ranked]
    random = []
    if options.random:
        random = choose_ids(known, number=options.random, seed=options.seed)
    members = (
        choose_ids(known, ids=options.ids),
        names[: options.best],
        names[::-1][: options.worst],
        random,
    )
    chosen: dict[str, list[str]] = {}
    for group, image_ids in zip(GROUPS, members, strict=True):
        for image_id in image_ids:
            chosen.setdefault(image_id, []).append(group)
    return chosen
