"""The toy data set in the layout of COCO, with all that COCO's files have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from oaa_mm.io import write_image, write_json
from oaa_mm.io.progress import progress

from .catalogue import TOY_CLASSES
from .scene import ToySample, toy_sample
from .writer import begin_folder

#: Category id of each class: with gaps, as COCO's.
CATEGORY_IDS = (1, 3, 4, 8, 13, 21)

#: Folder of the images, and number of the first one.
SPLITS = {'train': ('train2017', 1), 'val': ('val2017', 500_001)}

_JPEG_QUALITY = 92


def make_toy_coco(
    out: str | os.PathLike,
    *,
    num_train: int = 300,
    num_val: int = 60,
    seed: int = 0,
) -> Path:
    """Write the toy data set in the layout of COCO 2017.

    Under `out` come ``train2017/``, ``val2017/``, ``annotations/instances_
    train2017.json`` and ``instances_val2017.json``, and ``classes.txt``. Most
    outlines are polygons; in every eighth image the last object is a crowd,
    whose pixels are run lengths. The last image of each split has no
    annotation. The same arguments give the same files.

    Args:
        out (str | os.PathLike): A new or empty folder, or an earlier toy data
            set in this layout, which is replaced.
        num_train (int): Number of training images. Defaults to 300.
        num_val (int): Number of validation images. Defaults to 60.
        seed (int): Seed of every image, not negative. Defaults to 0.

    Returns:
        Path: The folder `out`.

    Raises:
        ValueError: A number is out of range, or `out` holds other files.
    """
    counts = {'train': num_train, 'val': num_val}
    out = begin_folder(out, 'JPEGImages', counts, seed)
    for split, number in counts.items():
        _write_split(out, split, number, seed)
    return out


def _write_split(out: Path, split: str, size: int, seed: int) -> None:
    folder, first = SPLITS[split]
    images, annotations = [], []
    numbers = count(1)
    for index in progress(range(size), f'Painting {split}'):
        sample = toy_sample(seed, split, index)
        height, width = sample.mask.shape
        entry = {'id': first + index, 'height': height, 'width': width}
        entry['file_name'] = f'{entry["id"]:012d}.jpg'
        images.append(entry)
        pixels = sample.image
        if index == size - 1:  # nothing but the ground
            pixels = np.full_like(pixels, pixels.mean((0, 1)))
        else:
            crowd = len(sample.objects) if index % 8 == 3 else 0
            annotations += [
                {'id': number, 'image_id': entry['id'], **annotation}
                for number, annotation in zip(
                    numbers, _annotations(sample, crowd), strict=False
                )
            ]
        path = out / folder / entry['file_name']
        write_image(path, pixels, quality=_JPEG_QUALITY)
    categories = zip(CATEGORY_IDS, TOY_CLASSES, strict=True)
    content = {
        'images': images,
        'annotations': annotations,
        # In another order than that of their ids; only the ids count.
        'categories': [{'id': i, 'name': n} for i, n in categories][::-1],
    }
    path = out / 'annotations' / f'instances_{folder}.json'
    write_json(path, content, indent=None)
    _remove_others(out / folder, {image['file_name'] for image in images})


def _annotations(sample: ToySample, crowd: int) -> Iterator[dict[str, Any]]:
    """One entry an object; the one of number `crowd` is a crowd."""
    for number, (label, (x0, y0, x1, y1)) in enumerate(sample.objects, 1):
        pixels = sample.instances == number
        outline = run_lengths if number == crowd else _polygons
        yield {
            'category_id': CATEGORY_IDS[label],
            'iscrowd': int(number == crowd),
            'segmentation': outline(pixels),
            'area': int(pixels.sum()),
            'bbox': [x0, y0, x1 - x0, y1 - y0],
        }


def run_lengths(pixels: np.ndarray) -> dict[str, list[int]]:
    """COCO's uncompressed form: down the columns, background first.

    Args:
        pixels (np.ndarray): (H, W) bool.

    Returns:
        dict[str, list[int]]: `size` and `counts`.
    """
    flat = np.concatenate([[0], pixels.T.ravel(), [1 - pixels[-1, -1]]])
    ends = np.flatnonzero(np.diff(flat))
    counts = np.diff(ends, prepend=0).tolist()
    return {'size': list(pixels.shape), 'counts': counts}


def _polygons(pixels: np.ndarray) -> list[list[float]]:
    """Outlines of all parts, through the centres of the outermost pixels."""
    found = cv2.findContours(
        pixels.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    parts = [part for part in found[0] if len(part) > 2]
    return [(part.ravel() + 0.5).tolist() for part in parts]


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove the files that an earlier, larger set left, and no others."""
    for path in folder.glob('*.jpg'):
        if re.fullmatch(r'\d{12}', path.stem) and path.name not in names:
            path.unlink()
