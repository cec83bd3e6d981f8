"""COCO's instances JSON: the labels are the categories of annotations."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oaa_mm.io import read_text, write_json
from oaa_mm.tags.classes import (
    COCO_CATEGORY_IDS,
    COCO_CLASSES,
    is_no_class,
    normalize_classes,
)
from oaa_mm.tags.table import LabelTable, TableBuilder

from ._common import class_lookup, require_classes, unknown_class

_NEEDED = {
    'images': {'id': int, 'file_name': str},
    'annotations': {'image_id': int, 'category_id': int},
    'categories': {'id': int, 'name': str},
}


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    text = read_text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not valid JSON: {error}') from error
    for key, fields in _NEEDED.items():
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise ValueError(
                f'{path} is not a COCO instances file: it has no list '
                f'{key!r}; needed are {", ".join(_NEEDED)}'
            )
        for position, item in enumerate(data[key]):
            for field, kind in fields.items():
                value = item.get(field) if isinstance(item, dict) else None
                if not isinstance(value, kind):
                    raise ValueError(
                        f'{path}: {key}[{position}] has no {field!r} of type '
                        f'{kind.__name__}'
                    )
    return data


def _category_indices(
    categories: list[dict[str, Any]],
    classes: Sequence[str] | None,
    path: Path,
) -> tuple[dict[int, int | None], dict[int, str], tuple[str, ...]]:
    """Category id -> class index (None: not in `classes`) and -> name."""
    names: dict[int, str] = {}
    for item in categories:
        if item['id'] in names:
            raise ValueError(f'{path}: category id {item["id"]} occurs twice')
        names[item['id']] = item['name'].strip()
    ordered = dict(sorted(names.items()))
    own = [n for i, n in ordered.items() if i or not is_no_class(n)]
    try:
        classes = normalize_classes(classes or own)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    lookup = class_lookup(classes)
    indices = {number: lookup.get(name) for number, name in ordered.items()}
    return indices, names, classes


def read_coco(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read an instances JSON, as COCO's `instances_train2017.json`.

    Args:
        path (str | os.PathLike): The JSON file.
        classes (Sequence[str], optional): Names of the classes, in the order
            of their indices. Defaults to the categories in the order of their
            ids: COCO's ids 1..90 become 0..79. A category 0 called background
            is none of them.

    Returns:
        LabelTable: The labels; image id is the stem of `file_name`, images
        without annotation have no class, crowds count.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: The file is not of this form, refers to an unknown image
            or category, or holds an image twice.
    """
    path, classes = Path(path), normalize_classes(classes)
    data = _load(path)
    indices, names, classes = _category_indices(
        data['categories'], classes, path
    )
    found: dict[int, set[int]] = {}
    for image in data['images']:
        if image['id'] in found:
            raise ValueError(f'{path}: image {image["id"]} occurs twice')
        found[image['id']] = set()
    for position, item in enumerate(data['annotations']):
        where = f'{path}: annotations[{position}]'
        if item['image_id'] not in found:
            raise ValueError(f'{where}: unknown image {item["image_id"]}')
        number = item['category_id']
        if number not in indices:
            raise ValueError(f'{where}: unknown category {number}')
        if not number and is_no_class(names[number]):
            continue  # other tools write what is no object as category 0
        if indices[number] is None:
            raise unknown_class(names[number], classes, where)
        found[item['image_id']].add(indices[number])
    table = TableBuilder(path, classes)
    for image in data['images']:
        table.add(image['file_name'], found[image['id']])
    return table.build()


def write_coco(table: LabelTable, path: str | os.PathLike) -> None:
    """Write a minimal instances JSON: an empty box per image and class.

    Args:
        table (LabelTable): The labels, with class names; the 80 classes of
            COCO get COCO's own category ids, others 1, 2, ...
        path (str | os.PathLike): The file to write, atomically.

    Raises:
        ValueError: The table has no class names.
    """
    classes = require_classes(table, 'coco')
    numbers = (
        COCO_CATEGORY_IDS
        if classes == COCO_CLASSES
        else tuple(range(1, len(classes) + 1))
    )
    empty = {'bbox': [0, 0, 0, 0], 'area': 0, 'iscrowd': 0, 'segmentation': []}
    images, annotations = [], []
    for number, (image_id, indices) in enumerate(table.labels.items(), 1):
        name = f'{image_id}.jpg'
        images.append(
            {'id': number, 'file_name': name, 'width': 0, 'height': 0}
        )
        for index in indices:
            annotations.append(
                {
                    'id': len(annotations) + 1,
                    'image_id': number,
                    'category_id': numbers[index],
                    **empty,
                }
            )
    categories = [
        {'id': number, 'name': name}
        for number, name in zip(numbers, classes, strict=True)
    ]
    content = {
        'images': images,
        'annotations': annotations,
        'categories': categories,
    }
    write_json(path, content, indent=None)
