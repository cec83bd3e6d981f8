"""Masks painted of COCO's instances, by pycocotools."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from oaa_mm.io import IGNORE_INDEX, write_mask
from oaa_mm.io.masks import finished_mask


class InstanceImage(NamedTuple):
    """An image of an instances JSON.

    Attributes:
        image_id (str): Its id.
        size (tuple[int, int]): Height and width.
        objects (list[tuple[int, dict]]): Class index and annotation of each
            object.
    """

    image_id: str
    size: tuple[int, int]
    objects: list[tuple[int, dict[str, Any]]]


def import_pycocotools() -> ModuleType:
    """The module `pycocotools.mask`.

    Returns:
        ModuleType: The module.

    Raises:
        ValueError: It is not installed, or does not import; the message says
            how to install it.
    """
    try:
        from pycocotools import mask
    except ImportError as error:
        raise ValueError(
            "COCO's outlines need the package pycocotools, which does not "
            f'import ({error}). Install it with `pip install "oaa_mm[coco]"` '
            'or `pip install pycocotools`'
        ) from error
    return mask


def encode_outline(outline: Any, size: tuple[int, int]) -> dict[str, Any]:
    """Run lengths of the pixels of an object.

    Args:
        outline (Any): The `segmentation` of an annotation: polygons, or run
            lengths, compressed or not.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        dict[str, Any]: Compressed run lengths, as pycocotools takes them.

    Raises:
        ValueError: `outline` is none of these, or does not fit the image.
    """
    if isinstance(outline, dict):
        return _runs(_checked_counts(outline, size), size)
    if not isinstance(outline, list) or not outline:
        raise ValueError(
            'it has no outline (`segmentation`), and masks are not made of '
            'boxes; take the file whose annotations have polygons'
        )
    coco = import_pycocotools()
    polygons = [_checked_polygon(polygon, size) for polygon in outline]
    # Fewer than three points hold no pixel, and four numbers read as a box.
    areas = [polygon for polygon in polygons if len(polygon) > 4]
    runs = coco.frPyObjects(areas, *size) if areas else []
    return coco.merge([_runs([math.prod(size)], size), *runs])


def _checked_polygon(polygon: Any, size: tuple[int, int]) -> list[float]:
    """A polygon that pycocotools can take; numbers far off exhaust it."""
    points = np.asarray(polygon, dtype=float)
    # NaN is in no range.
    inside = (points >= -max(size)) & (points <= 2 * max(size))
    if points.ndim != 1 or len(points) % 2 or not inside.all():
        raise ValueError(
            'a polygon should be a list x1, y1, x2, y2, ... of pixels in an '
            f'image of {size[0]} x {size[1]} (height x width)'
        )
    return points.tolist()


def _checked_counts(
    outline: dict[str, Any], size: tuple[int, int]
) -> list[int]:
    """Run lengths that cover the image exactly, as pycocotools needs them."""
    counts = outline.get('counts')
    if isinstance(counts, str):
        counts = decompress_counts(counts)
    fits = isinstance(counts, list) and outline.get('size') == list(size)
    fits = fits and all(isinstance(n, int) and n >= 0 for n in counts)
    if not fits or sum(counts) != math.prod(size):
        raise ValueError(
            f'its run lengths are not those of an image of {size[0]} x '
            f'{size[1]} pixels (height x width)'
        )
    return counts


def decompress_counts(text: str) -> list[int]:
    """Run lengths from COCO's compressed form.

    pycocotools reads it as well, but a damaged text makes it write outside of
    its memory.

    Args:
        text (str): Numbers in base 32, a character from ``'0'`` on for each
            digit, the lowest first; 32 more where another digit follows. From
            the fourth number on, they are differences to the last but one.

    Returns:
        list[int]: The run lengths; nonsense where the text is.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - ord('0')
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:  # the sign
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts


def _runs(counts: list[int], size: tuple[int, int]) -> dict[str, Any]:
    outline = {'counts': counts, 'size': size}
    return import_pycocotools().frPyObjects(outline, *size)


def paint_instances(
    objects: Iterable[tuple[int, dict[str, Any]]], size: tuple[int, int]
) -> np.ndarray:
    """Paint the mask of an image.

    Crowds lie below all objects, and are ignored: nobody has told their
    members apart from what is between them. Larger objects lie below smaller
    ones; of two that are equally large, the first one.

    Args:
        objects (Iterable[tuple[int, dict[str, Any]]]): Class index and
            annotation of each object.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        np.ndarray: (H, W) uint8: 0 is background, class c is c + 1, 255 is
        ignored.

    Raises:
        ValueError: The outline of an object cannot be used.
    """
    coco = import_pycocotools()
    layers = []
    for index, item in objects:
        try:
            runs = encode_outline(item.get('segmentation'), size)
            pixels = coco.decode(runs).astype(bool)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f'annotation {item.get("id")} of image {item["image_id"]}: '
                f'{error}'
            ) from error
        crowd = bool(item.get('iscrowd'))
        value = IGNORE_INDEX if crowd else index + 1
        layers.append(((not crowd, -pixels.sum()), value, pixels))
    mask = np.zeros(size, np.uint8)
    for _, value, pixels in sorted(layers, key=lambda layer: layer[0]):
        mask[pixels] = value
    return mask


class InstancePainter:
    """Paints masks into a folder, and keeps those that are finished.

    Args:
        source (str | os.PathLike): The instances JSON, for messages.
        out (str | os.PathLike): The folder.

    Raises:
        ValueError: pycocotools is not installed.
    """

    def __init__(
        self, source: str | os.PathLike, out: str | os.PathLike
    ) -> None:
        import_pycocotools()
        self.source, self.out = source, Path(out)

    def __call__(self, image: InstanceImage) -> bool:
        """Write the mask of an image as ``{out}/{image_id}.png``.

        Args:
            image (InstanceImage): The image; without objects, all of it is
                background.

        Returns:
            bool: Whether the mask was there already.

        Raises:
            ValueError: The outline of an object cannot be used; it is named.
        """
        path = self.out / f'{image.image_id}.png'
        if finished_mask(path, image.size) is not None:
            return True
        try:
            write_mask(path, paint_instances(image.objects, image.size))
        except ValueError as error:
            raise ValueError(f'{self.source}: {error}') from error
        return False
