"""COCO's instances JSON: the labels are the categories of annotations."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oaa_mm.io import read_text, write_json
from oaa_mm.tags.classes import COCO_CATEGORY_IDS, COCO_CLASSES, is_no_class
from oaa_mm.tags.table import LabelTable, TableBuilder

_NEEDED = {
    'images': {'id': int, 'file_name': str},
    'annotations': {'image_id': int, 'category_id': int},
    'categories': {'id': int, 'name': str},
}


#: An image's entry in the file, class index and annotation of each object.
Instances = tuple[dict[str, Any], list[tuple[int, dict[str, Any]]]]


def _without_outline(item: dict[str, Any]) -> dict[str, Any]:
    """Drop the outlines, which take most of the memory, on reading."""
    item.pop('segmentation', None)
    return item


def _load(path: Path, outlines: bool) -> dict[str, list[dict[str, Any]]]:
    text = read_text(path)
    try:
        hook = None if outlines else _without_outline
        data = json.loads(text, object_hook=hook)
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


def read_coco(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read the image-level labels of an instances JSON.

    Args:
        path (str | os.PathLike): The JSON file, as COCO's
            `instances_train2017.json`.
        classes (Sequence[str], optional): See :func:`read_instances`.

    Returns:
        LabelTable: The labels; images without annotation have no class,
        crowds count.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: See :func:`read_instances`.
    """
    return read_instances(path, classes=classes, outlines=False)[0]


def read_instances(
    path: str | os.PathLike,
    *,
    classes: Sequence[str] | None = None,
    outlines: bool = True,
) -> tuple[LabelTable, list[Instances]]:
    """Read an instances JSON; tags and masks take their classes from here.

    Args:
        path (str | os.PathLike): The JSON file.
        classes (Sequence[str], optional): Names of the classes, in the order
            of their indices. Defaults to the categories in the order of their
            ids: COCO's ids 1..90 become 0..79. A category 0 called background
            is none of them.
        outlines (bool): Whether annotations keep their `segmentation`, which
            takes gigabytes for all of COCO. Defaults to True.

    Returns:
        tuple[LabelTable, list[Instances]]: The image-level labels, whose
        ids are the stems of `file_name`, and the same images' objects.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: The file is not of this form, refers to an unknown image
            or category, or holds an image twice.
    """
    path = Path(path)
    data = _load(path, outlines)
    names = _by_id(data['categories'], 'category id', path)
    names = {i: names[i]['name'].strip() for i in sorted(names)}
    images = _by_id(data['images'], 'image', path)
    # Other tools write the background as category 0.
    background = {0} if is_no_class(names.get(0, '')) else set()
    own = [name for i, name in names.items() if i not in background]
    table = TableBuilder(path, classes, own)
    found: dict[int, list[tuple[int, dict]]] = {n: [] for n in images}
    for position, item in enumerate(data['annotations']):
        place = f': annotations[{position}]'
        image, category = item['image_id'], item['category_id']
        if image not in found:
            raise ValueError(f'{path}{place}: no image has id {image}')
        if category not in names:
            raise ValueError(f'{path}{place}: no category has id {category}')
        if category not in background:
            index = table.class_index(names[category], place)
            if index is not None:  # else the class is left out
                found[image].append((index, item))
    for number, image in images.items():
        table.add(image['file_name'], {c for c, _ in found[number]})
    return table.build(), [(images[n], found[n]) for n in images]


def _by_id(
    items: list[dict[str, Any]], kind: str, path: Path
) -> dict[int, dict[str, Any]]:
    by_id = {}
    for item in items:
        if item['id'] in by_id:
            raise ValueError(f'{path}: {kind} {item["id"]} occurs twice')
        by_id[item['id']] = item
    return by_id


def write_coco(table: LabelTable, path: str | os.PathLike) -> None:
    """Write a minimal instances JSON: an empty box per image and class.

    Args:
        table (LabelTable): The labels, with class names; the 80 classes of
            COCO get COCO's own category ids, others 1, 2, ...
        path (str | os.PathLike): The file to write, atomically.
    """
    numbers = range(1, len(table.classes) + 1)
    if table.classes == COCO_CLASSES:
        numbers = COCO_CATEGORY_IDS
    empty = {'bbox': [0, 0, 0, 0], 'area': 0, 'iscrowd': 0, 'segmentation': []}
    entries = list(enumerate(table.labels.items(), 1))
    pairs = [(image, numbers[c]) for image, (_, cs) in entries for c in cs]
    content = {
        'images': [
            {'id': n, 'file_name': f'{image_id}.jpg', 'width': 0, 'height': 0}
            for n, (image_id, _) in entries
        ],
        'annotations': [
            {'id': n, 'image_id': image, 'category_id': category, **empty}
            for n, (image, category) in enumerate(pairs, 1)
        ],
        'categories': [
            {'id': number, 'name': name}
            for number, name in zip(numbers, table.classes, strict=True)
        ],
    }
    write_json(path, content, indent=None)
