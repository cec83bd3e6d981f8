"""Scores of whole attention stores against a folder of masks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.coverage import check_maps
from oaa_mm.checks import check_choice
from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress

from .functional import (
    IGNORE_POLICIES,
    SparseHistogram,
    add_sparse,
    image_histogram,
    score_histogram,
    to_sparse,
)
from .scores import NUM_LEVELS, AttentionScores, recall_at_precision


@dataclass(frozen=True, eq=False)
class StoreResult:
    """What the evaluation of one store found.

    Args:
        name (str): How tables and plots call the store.
        scores (AttentionScores): Scores at each threshold.
        coverage (float): Mean of all maps of the listed images, in [0, 1].
        num_images (int): Images that were compared.
        missing_images (tuple[str, ...]): Those of them without any map, which
            count as all background.
        missing_pairs (int): (Image, class) pairs of the masks whose class has
            no map, among the other images.
        num_pixels (int): Pixels that were compared.
    """

    name: str
    scores: AttentionScores
    coverage: float
    num_images: int
    missing_images: tuple[str, ...]
    missing_pairs: int
    num_pixels: int

    def to_dict(self, class_names: Sequence[str]) -> dict[str, object]:
        """Everything as plain types for JSON; NaN becomes None.

        Args:
            class_names (Sequence[str]): Names of the C foreground classes.

        Returns:
            dict[str, object]: Also holds what
            :meth:`AttentionScores.to_dict` returns.
        """
        return {
            'store': self.name,
            'coverage': self.coverage,
            'num_images': self.num_images,
            'num_pixels': self.num_pixels,
            'missing_images': list(self.missing_images),
            'missing_pairs': self.missing_pairs,
            **self.scores.to_dict(class_names),
        }


def evaluate_store(
    store: AttentionStore,
    image_ids: Sequence[str],
    mask_dir: str | os.PathLike,
    num_classes: int,
    *,
    name: str = 'store',
    ignore: str = 'drop',
    allow_missing: bool = False,
    workers: int = 1,
) -> StoreResult:
    """Compare a store's maps with masks, at every threshold.

    Args:
        store (AttentionStore): The maps.
        image_ids (Sequence[str]): The images to evaluate.
        mask_dir (str | os.PathLike): Folder of ``{image_id}.png``.
        num_classes (int): The number of foreground classes.
        name (str): How tables call the store. Defaults to ``'store'``.
        ignore (str): ``'drop'`` or ``'background'``: what becomes of pixels
            that the mask marks 255. Defaults to ``'drop'``.
        allow_missing (bool): Count images without any map as all background
            where True; an error where False, the default.
        workers (int): Threads that read and resize. Defaults to 1.

    Returns:
        StoreResult: Scores and counts.

    Raises:
        FileNotFoundError: A mask is absent.
        ValueError: A mask or map does not fit (it is named), or the masks
            hold no pixel to compare.
    """
    check_choice('ignore', ignore, IGNORE_POLICIES)
    missing = check_maps(
        name,
        image_ids,
        {image_id for image_id, _ in store},
        remedy='Evaluate the images that the maps were made of (--list), or '
        'count these as all background (--allow-missing).',
        allow_missing=allow_missing,
    )
    one_image = partial(
        _evaluate_image,
        store=store,
        mask_dir=Path(mask_dir),
        num_classes=num_classes,
        ignore=ignore,
    )
    total = _Total(num_classes)
    with ThreadPoolExecutor(max_workers=max(workers, 1)) as pool:
        found = pool.map(one_image, image_ids)
        for image in progress(found, name, len(image_ids)):
            total.add(image)
    return StoreResult(
        name=name,
        scores=score_histogram(total.histogram),
        coverage=total.coverage,
        num_images=len(image_ids),
        missing_images=tuple(missing),
        missing_pairs=total.missing_pairs,
        num_pixels=int(total.histogram.sum()),
    )


@dataclass(frozen=True)
class _ImageResult:
    histogram: SparseHistogram
    map_sum: int  # of the values of all its maps
    map_cells: int
    missing_pairs: int


class _Total:
    """The sum of what images contributed."""

    def __init__(self, num_classes: int) -> None:
        shape = (num_classes + 1, num_classes, NUM_LEVELS)
        self.histogram = np.zeros(shape, np.int64)
        self.map_sum = self.map_cells = self.missing_pairs = 0

    def add(self, image: _ImageResult) -> None:
        add_sparse(self.histogram, image.histogram)
        self.map_sum += image.map_sum
        self.map_cells += image.map_cells
        self.missing_pairs += image.missing_pairs

    @property
    def coverage(self) -> float:
        return self.map_sum / (255 * max(self.map_cells, 1))


def _evaluate_image(
    image_id: str,
    *,
    store: AttentionStore,
    mask_dir: Path,
    num_classes: int,
    ignore: str,
) -> _ImageResult:
    path = mask_dir / f'{image_id}.png'
    mask = read_index_png(path)
    classes = store.classes_of(image_id)
    attention = {index: store[image_id, index] for index in classes}
    try:
        counts = image_histogram(attention, mask, num_classes, ignore=ignore)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    present = set(np.unique(mask).tolist()) - {0, 255}
    lacking = present - {index + 1 for index in classes} if classes else ()
    return _ImageResult(
        histogram=to_sparse(counts),
        map_sum=sum(int(a.sum(dtype=np.int64)) for a in attention.values()),
        map_cells=sum(a.size for a in attention.values()),
        missing_pairs=len(lacking),
    )


def recalls_at_first_precision(
    results: Sequence[StoreResult],
) -> list[float]:
    """Recall of each store where it is as precise as the first one.

    The precision is the first store's macro precision at its best threshold.

    Args:
        results (Sequence[StoreResult]): The stores, the reference first.

    Returns:
        list[float]: Macro recall of each store; NaN for a store that does not
        reach the precision at any threshold.
    """
    first = results[0].scores
    target = first.macro_precision[first.best_level]
    return [
        recall_at_precision(
            r.scores.macro_precision, r.scores.macro_recall, target
        )
        for r in results
    ]
