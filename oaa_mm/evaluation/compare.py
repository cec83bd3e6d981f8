"""Attention stores, or folders of labels, compared on the same images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.coverage import check_maps
from oaa_mm.checks import name_some
from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress
from oaa_mm.pseudo_labels.layout import label_dir

from .counts import add_images, count_image, label_matrix
from .scores import (
    LABEL_POLICIES,
    Scores,
    confusion_scores,
    recall_at_precision,
    sweep_scores,
)
from .stores import read_image_ids

T = TypeVar('T')


@dataclass(frozen=True, eq=False)
class StoreResult:
    """What the evaluation of one attention store found.

    Args:
        name (str): How tables and plots call the store.
        scores (Scores): Scores at each threshold.
        ignore (str): What became of pixels that the masks mark 255.
        coverage (float): Mean of all maps of the listed images, in [0, 1].
        num_images (int): Images that were compared.
        missing_images (tuple[str, ...]): Those of them without any map, which
            count as all background.
        missing_pairs (int): (Image, class) pairs of the masks whose class has
            no map, among the other images.
        num_pixels (int): Pixels that were compared.
    """

    name: str
    scores: Scores
    ignore: str
    coverage: float
    num_images: int
    missing_images: tuple[str, ...]
    missing_pairs: int
    num_pixels: int


@dataclass(frozen=True, eq=False)
class LabelResult:
    """What the evaluation of one folder of labels found.

    Args:
        name (str): How tables call the folder.
        scores (Mapping[str, Scores]): Scores for each way to treat 255.
        ignored (float): The share of the compared pixels that are labelled
            255.
        num_images (int): Images that were compared.
        num_pixels (int): Pixels that were compared.
    """

    name: str
    scores: Mapping[str, Scores]
    ignored: float
    num_images: int
    num_pixels: int


def compare_stores(
    stores: Sequence[str | os.PathLike],
    mask_dir: str | os.PathLike,
    image_list: str | os.PathLike,
    num_classes: int,
    *,
    ignore: str = 'drop',
    allow_missing: bool = False,
    workers: int = 1,
) -> list[StoreResult]:
    """Evaluate several attention stores on the same images.

    Args:
        stores (Sequence[str | os.PathLike]): Store files or folders of the
            authors' PNGs.
        mask_dir (str | os.PathLike): Folder of ``{image_id}.png`` masks.
        image_list (str | os.PathLike): A file with one image id per line.
        num_classes (int): The number of foreground classes.
        ignore (str): See :func:`evaluate_store`.
        allow_missing (bool): See :func:`evaluate_store`.
        workers (int): Threads that read and resize. Defaults to 1.

    Returns:
        list[StoreResult]: One per store, in the order given.

    Raises:
        FileNotFoundError: A store, the list or a mask is absent.
        ValueError: A file does not fit; it is named.
    """
    image_ids = read_image_ids(image_list)
    find_files(mask_dir, image_ids, 'masks')  # before any long work
    return [
        evaluate_store(
            _read_store(path),
            image_ids,
            mask_dir,
            num_classes,
            name=name,
            ignore=ignore,
            allow_missing=allow_missing,
            workers=workers,
        )
        for path, name in zip(stores, distinct_names(stores), strict=True)
    ]


def _read_store(path: str | os.PathLike) -> AttentionStore:
    if Path(path).is_dir():
        return AttentionStore.import_png(path)
    return AttentionStore.load(path)


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
    missing = check_maps(
        name,
        image_ids,
        {image_id for image_id, _ in store},
        remedy='Evaluate the images that the maps were made of (--list), or '
        'count these as all background (--allow-missing).',
        allow_missing=allow_missing,
    )

    def count(image_id: str) -> object:
        maps = {c: store[image_id, c] for c in store.classes_of(image_id)}
        path = Path(mask_dir, f'{image_id}.png')
        mask = read_index_png(path)
        try:
            return count_image(maps, mask, num_classes, ignore=ignore)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error

    total = add_images(_each(count, image_ids, name, workers), num_classes)
    return StoreResult(
        name=name,
        scores=sweep_scores(total.histogram),
        ignore=ignore,
        coverage=total.coverage,
        num_images=len(image_ids),
        missing_images=tuple(missing),
        missing_pairs=total.missing_pairs,
        num_pixels=int(total.histogram.sum()),
    )


def compare_labels(
    folders: Sequence[str | os.PathLike],
    mask_dir: str | os.PathLike,
    image_list: str | os.PathLike,
    num_classes: int,
    *,
    policies: Sequence[str] = LABEL_POLICIES,
    workers: int = 1,
) -> list[LabelResult]:
    """Evaluate several folders of labels on the same images.

    Args:
        folders (Sequence[str | os.PathLike]): Folders of ``{image_id}.png``,
            or folders that hold them in ``labels/``.
        mask_dir (str | os.PathLike): Folder of ``{image_id}.png`` masks.
        image_list (str | os.PathLike): A file with one image id per line.
        num_classes (int): The number of foreground classes.
        policies (Sequence[str]): Some of :data:`LABEL_POLICIES`, the ways to
            treat labels of 255. Defaults to all.
        workers (int): Threads that read. Defaults to 1.

    Returns:
        list[LabelResult]: One per folder, in the order given.

    Raises:
        FileNotFoundError: A folder, the list, labels or masks are absent.
        ValueError: A file does not fit; it is named.
    """
    image_ids = read_image_ids(image_list)
    masks = find_files(mask_dir, image_ids, 'masks')
    labels = [
        find_files(label_dir(folder), image_ids, 'labels')
        for folder in folders
    ]

    def count(pair: tuple[Path, Path]) -> np.ndarray:
        try:
            return label_matrix(*map(read_index_png, pair), num_classes)
        except ValueError as error:
            raise ValueError(
                f'{pair[0]} against {pair[1]}: {error}'
            ) from error

    results = []
    for name, paths in zip(distinct_names(folders), labels, strict=True):
        pairs = list(zip(paths, masks, strict=True))
        matrix = sum(_each(count, pairs, name, workers))
        scores = {p: confusion_scores(matrix, p) for p in policies}
        pixels = int(matrix.sum())
        ignored = float(matrix[:, -1].sum() / pixels)
        results.append(
            LabelResult(name, scores, ignored, len(image_ids), pixels)
        )
    return results


def _each(
    count: Callable[[T], object], items: Sequence[T], name: str, workers: int
) -> Iterator[object]:
    """What `count` says of each item, under a progress bar."""
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        yield from progress(pool.map(count, items), name, len(items))


def find_files(
    folder: str | os.PathLike, image_ids: Sequence[str], kind: str
) -> list[Path]:
    """The PNG file of each image, before any long work begins.

    Args:
        folder (str | os.PathLike): Folder of ``{image_id}.png``.
        image_ids (Sequence[str]): The images.
        kind (str): What the files are, for the error.

    Returns:
        list[Path]: One file per image.

    Raises:
        FileNotFoundError: The folder or some files are absent.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'no such folder of {kind}: {folder}')
    paths = [folder / f'{image_id}.png' for image_id in image_ids]
    absent = [str(path) for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f'{len(absent)} of {len(paths)} {kind} are absent: '
            f'{name_some(absent)}. Evaluate the images that have {kind} '
            '(--list), or finish making them.'
        )
    return paths


def distinct_names(paths: Sequence[str | os.PathLike]) -> list[str]:
    """Short names that tell stores and folders apart.

    Args:
        paths (Sequence[str | os.PathLike]): Files or folders.

    Returns:
        list[str]: Their stems, led by as many folders as it takes to be
        distinct.

    Raises:
        ValueError: A path is given twice.
    """
    stems = [Path(p) for p in paths]
    stems = [p if p.is_dir() else p.with_suffix('') for p in stems]
    for depth in range(1, max(len(path.parts) for path in stems) + 1):
        names = ['/'.join(path.parts[-depth:]) for path in stems]
        if len(set(names)) == len(names):
            return names
    raise ValueError(
        'the same store is given twice: ' + ', '.join(map(str, paths))
    )


def recalls_at_first_precision(results: Sequence[StoreResult]) -> list[float]:
    """Recall of each store where it is as precise as the first one.

    The precision is the first store's mean precision at its best threshold.

    Args:
        results (Sequence[StoreResult]): The stores, the reference first.

    Returns:
        list[float]: Mean recall of each store; NaN for a store that does not
        reach the precision at any threshold.
    """
    target = results[0].scores.best()['precision']
    means = [result.scores.means() for result in results]
    return [
        recall_at_precision(mean['precision'], mean['recall'], target)
        for mean in means
    ]
