"""Folders of pseudo-labels, compared on the same images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from oaa_mm.checks import name_some
from oaa_mm.io import write_json
from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress
from oaa_mm.pseudo_labels.layout import label_dir

from .compare import find_masks, store_names
from .labels import LABEL_POLICIES, LabelScores, label_matrix, label_scores
from .stores import read_image_ids
from .tables import class_table, percent, text_table

POLICY_NOTES = {
    'drop': 'pixels labelled 255 leave the statistics',
    'background': 'pixels labelled 255 count as labelled background',
    'error': 'pixels labelled 255 are missed: false negatives of their '
    'class, false positives of none',
}


@dataclass(frozen=True, eq=False)
class FolderResult:
    """What the evaluation of one folder of labels found.

    Args:
        name (str): How tables call it.
        matrix (np.ndarray): (C + 1, C + 2) sum of :func:`label_matrix`.
        num_images (int): Images that were compared.
    """

    name: str
    matrix: np.ndarray
    num_images: int

    @property
    def ignored(self) -> float:
        """The share of the compared pixels that are labelled 255."""
        return float(self.matrix[:, -1].sum() / max(self.matrix.sum(), 1))

    def scores(self, policy: str) -> LabelScores:
        """Scores under one of :data:`LABEL_POLICIES`."""
        return label_scores(self.matrix, policy)


def compare_label_folders(
    folders: Sequence[str | os.PathLike],
    mask_dir: str | os.PathLike,
    image_list: str | os.PathLike,
    num_classes: int,
    *,
    workers: int = 1,
) -> list[FolderResult]:
    """Compare folders of labels with masks.

    Args:
        folders (Sequence[str | os.PathLike]): Folders of ``{image_id}.png``,
            or folders that hold them in ``labels/``.
        mask_dir (str | os.PathLike): Folder of ``{image_id}.png`` masks.
        image_list (str | os.PathLike): A file with one image id per line.
        num_classes (int): The number of foreground classes.
        workers (int): Threads that read. Defaults to 1.

    Returns:
        list[FolderResult]: One per folder, in the order given.

    Raises:
        FileNotFoundError: A folder, the list, labels or masks are absent.
        ValueError: A file does not fit; it is named.
    """
    image_ids = read_image_ids(image_list)
    masks = find_masks(mask_dir, image_ids)
    labels = [_find_labels(folder, image_ids) for folder in folders]
    count = partial(_count, num_classes=num_classes)
    results = []
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for name, paths in zip(store_names(folders), labels, strict=True):
            matrix = np.zeros((num_classes + 1, num_classes + 2), np.int64)
            for part in progress(
                pool.map(count, paths, masks), name, len(image_ids)
            ):
                matrix += part
            if not matrix.sum():
                raise ValueError(f'{mask_dir}: the masks hold no pixel')
            results.append(FolderResult(name, matrix, len(image_ids)))
    return results


def _find_labels(
    folder: str | os.PathLike, image_ids: Sequence[str]
) -> list[Path]:
    folder = label_dir(folder)
    paths = [folder / f'{image_id}.png' for image_id in image_ids]
    absent = [str(path) for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f'{len(absent)} of {len(paths)} labels are absent: '
            f'{name_some(absent)}. Evaluate the images that have labels '
            '(--list), or finish making them.'
        )
    return paths


def _count(label: Path, mask: Path, num_classes: int) -> np.ndarray:
    try:
        return label_matrix(
            read_index_png(label), read_index_png(mask), num_classes
        )
    except ValueError as error:
        raise ValueError(f'{label} against {mask}: {error}') from error


def label_report(
    results: Sequence[FolderResult],
    class_names: Sequence[str],
    *,
    policies: Sequence[str] = LABEL_POLICIES,
) -> str:
    """Compare folders under each policy, in percent.

    Args:
        results (Sequence[FolderResult]): The folders.
        class_names (Sequence[str]): Names of the C foreground classes.
        policies (Sequence[str]): Some of :data:`LABEL_POLICIES`.

    Returns:
        str: A table of means, one of the classes of each folder, and notes.
    """
    rows, classes = [], []
    for result in results:
        scores = {policy: result.scores(policy) for policy in policies}
        for policy, score in scores.items():
            means = map(percent, score.summary().values())
            rows.append([result.name, policy, *means, percent(result.ignored)])
        columns = {f'IoU ({p})': s.iou for p, s in scores.items()}
        first = scores[policies[0]]
        columns[f'precision ({policies[0]})'] = first.precision
        columns[f'recall ({policies[0]})'] = first.recall
        classes.append(f'{result.name}, per class (percent):')
        classes.append(class_table(['background', *class_names], columns))
    header = ['labels', '255 is', 'mIoU', 'fg_mIoU', 'precision', 'recall']
    return '\n'.join(
        [
            'Labels against masks (percent):',
            text_table([*header, 'share of 255'], rows),
            *classes,
            *(f'{policy}: {POLICY_NOTES[policy]}.' for policy in policies),
            f'{results[0].num_images} images, '
            f'{results[0].matrix.sum():,} pixels; pixels of mask value 255 '
            'are dropped. mIoU: mean over classes that occur in the masks, '
            'with background; fg_mIoU, precision, recall: without it.',
        ]
    )


def save_label_results(
    path: str | os.PathLike,
    results: Sequence[FolderResult],
    class_names: Sequence[str],
    *,
    policies: Sequence[str] = LABEL_POLICIES,
) -> None:
    """Write all scores as JSON; what is undefined (0 / 0) is null.

    Args:
        path (str | os.PathLike): The file to write.
        results (Sequence[FolderResult]): The folders.
        class_names (Sequence[str]): Names of the C foreground classes.
        policies (Sequence[str]): Some of :data:`LABEL_POLICIES`.
    """
    folders = [
        {
            'labels': result.name,
            'num_images': result.num_images,
            'num_pixels': int(result.matrix.sum()),
            'ignored': result.ignored,
            **{p: result.scores(p).to_dict(class_names) for p in policies},
        }
        for result in results
    ]
    content = {'classes': list(class_names), 'folders': folders}
    write_json(path, content)
