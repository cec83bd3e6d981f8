"""Images to look at, and the tags that a user gives with them."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from PIL import Image as Pillow

from oaa_mm.checks import name_some
from oaa_mm.datasets.files import inspect_images
from oaa_mm.io import (
    ImageFolder,
    check_image_id,
    find_images,
    image_id_of,
    read_image,
)
from oaa_mm.io.ids import IMAGE_SUFFIXES
from oaa_mm.io.images import pillow_to_bgr
from oaa_mm.tags import read_labels
from oaa_mm.tags.select import labels_of
from oaa_mm.tags.table import multi_hot

Image = str | os.PathLike | np.ndarray | Pillow.Image
#: One image, a folder, or several of them.
Images = Image | Sequence[Image]
#: Names or indices of classes; a file, or something for each image.
Tags = str | os.PathLike | Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True, eq=False)
class ImageInput:
    """One image.

    Attributes:
        image_id (str): Stem of the file, or the number of an array.
        image (str | np.ndarray): A file, or an (H, W, 3) uint8 BGR array.
        classes (tuple[int, ...] | None): Indices of its tags; None if they
            are not known.
    """

    image_id: str
    image: str | np.ndarray
    classes: tuple[int, ...] | None = None

    def to_results(self, num_classes: int) -> dict[str, Any]:
        """The dictionary that a pipeline starts with.

        Args:
            num_classes (int): The number C of classes.

        Returns:
            dict[str, Any]: With `image_id`, the image as `img` or `img_path`
            and, where tags are known, `gt_label` (C,).
        """
        is_file = isinstance(self.image, str)
        results: dict[str, Any] = {
            'image_id': self.image_id,
            'img_path' if is_file else 'img': self.image,
        }
        if self.classes is not None:
            results['gt_label'] = multi_hot(self.classes, num_classes)
        return results

    def read(self) -> np.ndarray:
        """The (H, W, 3) uint8 RGB image, as the pipeline sees it."""
        if isinstance(self.image, str):
            return read_image(self.image)
        return np.ascontiguousarray(self.image[..., ::-1])


def list_images(inputs: Images) -> list[ImageInput]:
    """Find the images that a user means, and make sure they can be read.

    Args:
        inputs (Images): An image file, a folder of images, an (H, W, 3) uint8
            BGR array (as OpenCV reads it), a PIL image, or a sequence of
            such.

    Returns:
        list[ImageInput]: One an image, without tags; those of a folder are
        sorted by name. Other files in the folder are named in a warning.

    Raises:
        FileNotFoundError: A file is absent, or a folder holds no image.
        ValueError: A file or an array is no image, an id cannot name files,
            or two images have one id.
    """
    if isinstance(inputs, Image) or not isinstance(inputs, Sequence):
        inputs = [inputs]
    images: dict[str, str | np.ndarray] = {}
    for number, one in enumerate(inputs):
        if not isinstance(one, Image):
            raise ValueError(
                'an image should be a file, a folder, an array or a PIL '
                f'image, but got {type(one).__name__}'
            )
        if isinstance(one, Pillow.Image):
            one = pillow_to_bgr(one)
        if isinstance(one, np.ndarray):
            found = {f'{number:08}': _checked_array(one)}
        else:
            found = _files_of(Path(one))
        for image_id, image in found.items():
            if image_id in images:
                raise ValueError(
                    f'{image} and {images[image_id]} have the same id '
                    f'{image_id!r}, the stem of the file; give them in two '
                    'calls'
                )
            images[check_image_id(image_id)] = image
    files = {i: x for i, x in images.items() if isinstance(x, str)}
    inspect_images(files, decode=True)
    return [ImageInput(*item) for item in images.items()]


def _checked_array(image: np.ndarray) -> np.ndarray:
    fits = image.ndim == 3 and image.shape[2] == 3 and min(image.shape) >= 2
    if not fits or image.dtype != np.uint8:
        raise ValueError(
            'an image array should be (H, W, 3) uint8 BGR, as OpenCV reads '
            f'it, but got {image.shape} {image.dtype}'
        )
    return image


def _files_of(path: Path) -> dict[str, str]:
    """The file itself, or the images in a folder, by id."""
    if path.is_file():
        return {image_id_of(path.name): str(path)}
    if not path.is_dir():
        raise FileNotFoundError(f'no such image or folder: {path}')
    folder = ImageFolder(path)
    files = find_images(folder, folder.all_ids(recursive=False))
    if not files:
        raise FileNotFoundError(
            f'{path} holds no image ({", ".join(IMAGE_SUFFIXES)})'
        )
    used = {os.path.basename(file) for file in files.values()}
    others = sorted({one.name for one in path.iterdir()} - used)
    if others:
        print_log(
            f'{path}: no image to look at, so left out: {name_some(others)}',
            'current',
            logging.WARNING,
        )
    return files


def add_tags(
    items: Sequence[ImageInput], tags: Tags | None, class_names: Sequence[str]
) -> list[ImageInput]:
    """Give each image its tags.

    Args:
        items (Sequence[ImageInput]): N images.
        tags (Tags | None): Names or indices (from 0) of classes: one entry an
            image, in their order (a name, an index or several of them; C
            booleans, one a class; None if they are not known); or a mapping
            from image ids to such; or a file or folder of
            :func:`oaa_mm.tags.read_labels`. A single image may have just its
            tags. None: no image has tags.
        class_names (Sequence[str]): Names of the C classes.

    Returns:
        list[ImageInput]: The images with their `classes`.

    Raises:
        FileNotFoundError: `tags` names a file that is absent.
        ValueError: A class is unknown, an image has no entry, booleans are
            not one for each class, or 0 and 1 stand for them.
    """
    if tags is None:
        return list(items)
    if isinstance(tags, (str, os.PathLike)) and tags not in class_names:
        if not os.path.exists(tags):
            raise FileNotFoundError(
                f'{tags} does not exist, and is no class of the model, which '
                f'knows {", ".join(class_names)}'
            )
        table = read_labels(tags, classes=class_names)
        tags = labels_of(table, [x.image_id for x in items], str(tags))
    if isinstance(tags, Mapping):
        absent = [x.image_id for x in items if x.image_id not in tags]
        if absent:
            raise ValueError(
                f'{len(absent)} of {len(items)} images have no entry in the '
                f'tags: {name_some(absent)}'
            )
        tags = [tags[x.image_id] for x in items]
    elif len(items) == 1 and (_is_class(tags) or all(map(_is_class, tags))):
        tags = [tags]
    if _is_class(tags) or len(tags) != len(items):
        raise ValueError(
            f'tags should have one entry for each of the {len(items)} images, '
            f'but got {tags!r}'
        )
    return [
        replace(item, classes=_class_indices(entry, class_names))
        for item, entry in zip(items, tags, strict=True)
    ]


def _is_class(entry: Any) -> bool:
    return isinstance(entry, (str, int, np.integer, np.bool_))


def _class_indices(
    entry: str | int | Iterable[str | int] | None, class_names: Sequence[str]
) -> tuple[int, ...] | None:
    if entry is None:
        return None
    tags = [entry] if _is_class(entry) else list(entry)
    booleans = [isinstance(tag, (bool, np.bool_)) for tag in tags]
    one_each = len(tags) == len(class_names)
    if one_each and all(booleans):
        return tuple(np.flatnonzero(tags).tolist())
    # Of [0, 0, 1] or [0, 1], nobody knows whether these are indices.
    unclear = one_each and len(tags) > 1 and all(t in (0, 1) for t in tags)
    if unclear or any(booleans):
        raise ValueError(
            'tags should be names or indices of classes, or booleans, one for '
            f'each of the {len(class_names)} classes, but got {entry!r}'
        )
    indices = set()
    for tag in tags:
        if tag in class_names:
            indices.add(class_names.index(tag))
        elif _is_class(tag) and tag in range(len(class_names)):
            indices.add(int(tag))
        else:
            raise ValueError(
                f'{tag!r} is no class of the model, which knows '
                f'{", ".join(class_names)} (0 to {len(class_names) - 1})'
            )
    return tuple(sorted(indices))
