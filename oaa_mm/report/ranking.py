"""Which images a report shows: chosen, best, worst and random ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oaa_mm.checks import check_number
from oaa_mm.datasets import find_by_id
from oaa_mm.evaluation import confusion_scores, label_matrix
from oaa_mm.io import read_mask
from oaa_mm.io.progress import progress
from oaa_mm.visualization.draw import choose_ids

#: Why an image is shown.
GROUPS = ('chosen', 'best', 'worst', 'random')
#: (image id, (H, W) size) -> (H, W) uint8 label.
Labeller = Callable[[str, tuple[int, int]], np.ndarray]


@dataclass(frozen=True)
class ImageChoice:
    """Which images a report shows, and how.

    Attributes:
        ids (tuple[str, ...]): Images by name.
        best (int): How many of the best.
        worst (int): How many of the worst.
        random (int): How many at random.
        seed (int): Seed of the random choice.
        epochs (int): The most epochs, evenly spaced.
        tile_height (int): Height of the pictures, in pixels.
        alpha (float): Weight of the colours over the image, 0..1.

    Raises:
        ValueError: A number is out of its range.
    """

    ids: tuple[str, ...] = ()
    best: int = 3
    worst: int = 3
    random: int = 4
    seed: int = 0
    epochs: int = 10
    tile_height: int = 180
    alpha: float = 0.6

    def __post_init__(self) -> None:
        least = dict(best=0, worst=0, random=0, epochs=1, tile_height=16)
        for name, low in least.items():
            check_number(name, getattr(self, name), low=low, integer=True)


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
    image_ids: Sequence[str], labeller: Labeller, mask_dir: Path
) -> list[tuple[str, float]]:
    """Score each image that has a mask.

    Args:
        image_ids (Sequence[str]): The images.
        labeller (Labeller): Gives the label of an image.
        mask_dir (Path): Holds ``{image_id}.png``.

    Returns:
        list[tuple[str, float]]: Image and :func:`image_score`, best first.

    Raises:
        ValueError: A label or mask does not fit; it is named.
    """
    scores = []
    masks = find_by_id(mask_dir, image_ids, allow_missing=True)
    for image_id, path in progress(masks.items(), 'ranking'):
        mask = read_mask(path)
        try:
            score = image_score(labeller(image_id, mask.shape), mask)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        if not np.isnan(score):
            scores.append((image_id, score))
    return sorted(scores, key=lambda pair: (-pair[1], pair[0]))


def choose_groups(
    known: Sequence[str],
    ranked: Sequence[tuple[str, float]],
    choice: ImageChoice,
) -> dict[str, list[str]]:
    """The images to show, and why.

    Args:
        known (Sequence[str]): Images that have maps or labels, sorted.
        ranked (Sequence[tuple[str, float]]): From :func:`rank_images`.
        choice (ImageChoice): How many of which.

    Returns:
        dict[str, list[str]]: Image -> those of :data:`GROUPS` that it is in.

    Raises:
        ValueError: A named image is unknown.
    """
    names = [image_id for image_id, _ in ranked]
    random = []
    if choice.random:
        random = choose_ids(known, number=choice.random, seed=choice.seed)
    members = (
        choose_ids(known, ids=choice.ids),
        names[: choice.best],
        names[::-1][: choice.worst],
        random,
    )
    chosen: dict[str, list[str]] = {}
    for group, image_ids in zip(GROUPS, members, strict=True):
        for image_id in image_ids:
            chosen.setdefault(image_id, []).append(group)
    return chosen
