"""Attention stores and folders of labels against the same masks."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.coverage import check_maps
from oaa_mm.io import read_mask
from oaa_mm.io.masks import require_class
from oaa_mm.io.progress import map_in_threads

from .counts import NUM_LEVELS, ImageCounts, count_image, label_matrix
from .results import Result
from .scores import LABEL_POLICIES, confusion_scores, sweep_scores

PathLike = TypeVar('PathLike', str, os.PathLike)


def evaluate_store(
    store: AttentionStore,
    masks: Mapping[str, str | os.PathLike],
    class_names: Sequence[str],
    *,
    name: str = 'store',
    ignore: str = 'drop',
    allow_missing: bool = False,
    binary_masks: bool = False,
    workers: int = 1,
) -> Result:
    """Compare a store's maps with masks, at every threshold.

    Args:
        store (AttentionStore): The maps.
        masks (Mapping[str, str | os.PathLike]): Image id -> file of the mask,
            for each image to evaluate.
        class_names (Sequence[str]): Names of the C foreground classes.
        name (str): How tables call the store. Defaults to ``'store'``.
        ignore (str): ``'drop'`` or ``'background'``: the treatment of pixels
            that the mask marks 255. Defaults to ``'drop'``.
        allow_missing (bool): Count images without any map as all background
            where True; an error where False, the default.
        binary_masks (bool): Whether 255 marks the only class in the masks.
            Defaults to False.
        workers (int): Threads that read and resize. Defaults to 1.

    Returns:
        Result: Scores and counts.

    Raises:
        FileNotFoundError: A mask is absent.
        ValueError: A mask or map does not fit (it is named), or the masks
            hold no pixel to compare.
    """
    missing = check_maps(
        name,
        list(masks),
        {*store.image_ids, *store.negatives},
        remedy='Evaluate the images that the maps were made of (--list), or '
        'count these as all background (--allow-missing).',
        allow_missing=allow_missing,
    )

    def count(image_id: str) -> ImageCounts:
        """Compare the maps of an image with its mask."""
        maps = store.maps_of(image_id)
        path = masks[image_id]
        mask = read_mask(path, len(class_names), binary=binary_masks)
        try:
            return count_image(maps, mask, len(class_names), ignore=ignore)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error

    return result_of_maps(
        map_in_threads(count, list(masks), name, workers),
        class_names,
        name=name,
        ignore=ignore,
        missing_images=missing,
        where=_folder(masks),
    )


def result_of_maps(
    images: Iterable[ImageCounts],
    class_names: Sequence[str],
    *,
    name: str,
    ignore: str,
    missing_images: Sequence[str] = (),
    where: str = 'the masks',
) -> Result:
    """The scores of all images together.

    Args:
        images (Iterable[ImageCounts]): The counts of each image.
        class_names (Sequence[str]): Names of the C foreground classes.
        name (str): How tables call the maps.
        ignore (str): The treatment of pixels that the masks mark 255.
        missing_images (Sequence[str]): Images without any map. Defaults to
            none.
        where (str): The masks, for messages. Defaults to ``'the masks'``.

    Returns:
        Result: Scores at all thresholds.

    Raises:
        ValueError: The masks hold no pixel to compare.
    """
    shape = (len(class_names) + 1, len(class_names), NUM_LEVELS)
    histogram = np.zeros(shape, np.int64)
    number, attention, cells, missing_pairs = 0, 0.0, 0, 0
    for image in images:
        image.add_to(histogram)
        number += 1
        attention += image.attention_sum
        cells += image.cells
        missing_pairs += image.missing_pairs
    require_class(histogram[1:].any(), where)
    return Result.of_scores(
        name,
        {ignore: sweep_scores(histogram)},
        class_names,
        coverage=attention / max(cells, 1),
        missing_images=missing_images,
        missing_pairs=missing_pairs,
        num_images=number,
        num_pixels=int(histogram.sum()),
    )


def evaluate_labels(
    labels: Mapping[str, str | os.PathLike],
    masks: Mapping[str, str | os.PathLike],
    class_names: Sequence[str],
    *,
    name: str = 'labels',
    policies: Sequence[str] = LABEL_POLICIES,
    binary_masks: bool = False,
    workers: int = 1,
) -> Result:
    """Compare labels with masks.

    Args:
        labels (Mapping[str, str | os.PathLike]): Image id -> file of the
            label.
        masks (Mapping[str, str | os.PathLike]): Image id -> file of the mask,
            for each image to evaluate.
        class_names (Sequence[str]): Names of the C foreground classes.
        name (str): How tables call the labels. Defaults to ``'labels'``.
        policies (Sequence[str]): Some of :data:`LABEL_POLICIES`, the ways to
            treat labels of 255. Defaults to all.
        binary_masks (bool): Whether 255 marks the only class in the masks.
            Defaults to False.
        workers (int): Threads that read. Defaults to 1.

    Returns:
        Result: Scores and counts.

    Raises:
        FileNotFoundError: A label or mask is absent.
        ValueError: A file does not fit (it is named), or the masks hold no
            pixel to compare.
    """

    def count(image_id: str) -> np.ndarray:
        """Compare the label of an image with its mask."""
        label, mask = labels[image_id], masks[image_id]
        number = len(class_names)
        truth = read_mask(mask, number, binary=binary_masks)
        try:
            return label_matrix(read_mask(label), truth, number)
        except ValueError as error:
            raise ValueError(f'{label} against {mask}: {error}') from error

    matrix = sum(map_in_threads(count, list(masks), name, workers))
    require_class(matrix[1:].any(), _folder(masks))
    return Result.of_scores(
        name,
        {policy: confusion_scores(matrix, policy) for policy in policies},
        class_names,
        ignored=float(matrix[:, -1].sum() / matrix.sum()),
        num_images=len(masks),
        num_pixels=int(matrix.sum()),
    )


def _folder(masks: Mapping[str, str | os.PathLike]) -> str:
    """The folder that all masks are in, for messages."""
    return os.path.commonpath([os.path.dirname(p) for p in masks.values()])


def distinct_names(paths: Sequence[PathLike]) -> dict[PathLike, str]:
    """Short names that tell stores and folders apart.

    Args:
        paths (Sequence[PathLike]): Files or folders.

    Returns:
        dict[PathLike, str]: Their stems, led by as many folders as it takes
        to be distinct.

    Raises:
        ValueError: A path is given twice.
    """
    stems = [Path(p) for p in paths]
    stems = [p if p.is_dir() else p.with_suffix('') for p in stems]
    longest = max((len(path.parts) for path in stems), default=1)
    for depth in range(1, longest + 1):
        names = ['/'.join(path.parts[-depth:]) for path in stems]
        if len(set(names)) == len(names):
            return dict(zip(paths, names, strict=True))
    raise ValueError(
        'the same store is given twice: ' + ', '.join(map(str, paths))
    )
