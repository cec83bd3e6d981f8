"""Masks painted of COCO's instances, by pycocotools."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from oaa_mm.checks import import_optional
from oaa_mm.io import IGNORE_INDEX, write_mask
from oaa_mm.io.masks import finished_mask
from oaa_mm.io.run_lengths import decode_run_lengths


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
    """The module `pycocotools.mask`; ValueError where it is absent."""
    return import_optional(
        'pycocotools.mask',
        'COCO\'s outlines need it: `pip install "oaa_mm[coco]"` or `pip '
        'install pycocotools`',
    )


def outline_pixels(outline: Any, size: tuple[int, int]) -> np.ndarray:
    """The pixels of an object.

    Args:
        outline (Any): The `segmentation` of an annotation: polygons, or run
            lengths, compressed or not.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        np.ndarray: (H, W) bool.

    Raises:
        KeyError: Run lengths lack their `size` or `counts`.
        ValueError: `outline` is none of these, or does not fit the image.
    """
    if isinstance(outline, dict):
        return decode_run_lengths(outline, size)
    if not isinstance(outline, list) or not outline:
        raise ValueError(
            'it has no outline (`segmentation`), and masks are not made of '
            'boxes; take the file whose annotations have polygons'
        )
    polygons = [_checked_polygon(polygon, size) for polygon in outline]
    # Fewer than three points hold no pixel, and four numbers read as a box.
    areas = [polygon for polygon in polygons if len(polygon) > 4]
    if not areas:
        return np.zeros(size, bool)
    coco = import_pycocotools()
    return coco.decode(coco.merge(coco.frPyObjects(areas, *size))).astype(bool)


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


def paint_instances(
    objects: Iterable[tuple[int, dict[str, Any]]], size: tuple[int, int]
) -> np.ndarray:
    """Paint the mask of an image.

    Crowds lie below all objects, and are ignored: their outlines do not tell
    the members from the space between. Larger objects lie below smaller ones;
    of two that are equally large, the first one.

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
    layers = []
    for index, item in objects:
        try:
            pixels = outline_pixels(item.get('segmentation'), size)
        except (KeyError, TypeError, ValueError) as error:
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
