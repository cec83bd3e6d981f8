"""From a training's work_dir to strips in a folder."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from oaa_mm.checks import check_number
from oaa_mm.io import atomic_write
from oaa_mm.io.images import PHOTO_FORMATS, open_image
from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress

from .epochs import EpochStores
from .layouts import evolution_strip

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.JPG', '.JPEG', '.PNG')


def choose_images(
    epochs: Sequence[EpochStores],
    *,
    ids: Sequence[str] | None = None,
    number: int | None = None,
    seed: int = 0,
) -> list[str]:
    """The images to draw: those named, or some at random.

    Args:
        epochs (Sequence[EpochStores]): Their stores know the images.
        ids (Sequence[str] | None): The images by name.
        number (int | None): How many to choose at random where `ids` is None.
        seed (int): Of the choice. Defaults to 0.

    Returns:
        list[str]: Image ids.

    Raises:
        ValueError: An image has no map at any of the epochs, none has one,
            or `number` is not positive.
    """
    known = sorted({i for epoch in epochs for i in epoch.image_ids})
    if not known:
        numbers = ', '.join(str(epoch.epoch) for epoch in epochs)
        raise ValueError(
            f'there is no attention map at epochs {numbers}; choose others'
        )
    return choose_ids(known, ids=ids, number=number, seed=seed)


def choose_ids(
    known: Sequence[str],
    *,
    ids: Sequence[str] | None = None,
    number: int | None = None,
    seed: int = 0,
) -> list[str]:
    """The images to draw: those named, or some at random.

    Args:
        known (Sequence[str]): Ids of the images that have maps, sorted.
        ids (Sequence[str] | None): As in :func:`choose_images`.
        number (int | None): Likewise.
        seed (int): Likewise.

    Returns:
        list[str]: Image ids.

    Raises:
        ValueError: An image is unknown, or `number` is not positive.
    """
    if ids is not None:
        unknown = sorted(set(ids) - set(known))
        if unknown:
            raise ValueError(
                f'no attention maps of {", ".join(unknown)} among the '
                f'{len(known)} images of the stores, such as '
                f'{", ".join(known[:3])}'
            )
        return list(dict.fromkeys(ids))
    check_number('the number of random images', number, low=1, integer=True)
    chosen = random.Random(seed).sample(known, min(number, len(known)))
    return sorted(chosen)


def find_image(folder: str | os.PathLike, image_id: str) -> Path:
    """The file of an image in a folder of images.

    Args:
        folder (str | os.PathLike): Holds ``{image_id}.jpg`` or ``.png``.
        image_id (str): The file's stem.

    Returns:
        Path: The file.

    Raises:
        FileNotFoundError: There is none.
    """
    for suffix in IMAGE_SUFFIXES:
        path = Path(folder) / f'{image_id}{suffix}'
        if path.is_file():
            return path
    raise FileNotFoundError(
        f'no image {image_id}.jpg or {image_id}.png in {folder}; check the '
        'folder of images'
    )


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Read an image.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, no image or too large.
    """
    with open_image(path, PHOTO_FORMATS):
        pass  # its header promises an image of a possible size
    # Labels and maps know no EXIF rotation, so none is applied.
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise ValueError(f'{path} cannot be read as an image')
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def draw_strips(
    epochs: Sequence[EpochStores],
    image_ids: Sequence[str],
    out_dir: str | os.PathLike,
    *,
    img_dir: str | os.PathLike,
    class_names: Sequence[str],
    mask_dir: str | os.PathLike | None = None,
    per_class: bool = False,
    alpha: float = 0.6,
    tile_height: int = 200,
) -> list[Path]:
    """Write the strip of each image as ``{image_id}.png``.

    Args:
        epochs (Sequence[EpochStores]): The columns.
        image_ids (Sequence[str]): The images.
        out_dir (str | os.PathLike): Made if absent.
        img_dir (str | os.PathLike): Folder of the images.
        class_names (Sequence[str]): Names of the foreground classes.
        mask_dir (str | os.PathLike | None): Folder of masks,
            ``{image_id}.png``, if there is one.
        per_class (bool): Rows for each class. Defaults to False.
        alpha (float): Weight of the colours. Defaults to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.

    Returns:
        list[Path]: The files.

    Raises:
        FileNotFoundError: An image or mask is absent.
        ValueError: An image, a mask or a class does not fit; it is named.
    """
    written = []
    for image_id in progress(image_ids, 'strips'):
        path = find_image(img_dir, image_id)
        mask = None
        if mask_dir is not None:
            mask = read_index_png(Path(mask_dir) / f'{image_id}.png')
        try:
            strip = evolution_strip(
                read_image(path),
                [epoch.maps_of(image_id) for epoch in epochs],
                title=image_id,
                class_names=class_names,
                mask=mask,
                per_class=per_class,
                alpha=alpha,
                tile_height=tile_height,
            )
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        path = Path(out_dir) / f'{image_id}.png'
        write_picture(path, strip)
        written.append(path)
    return written


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture as PNG, atomically.

    Args:
        path (Path): The file.
        picture (np.ndarray): (H, W, 3) uint8 RGB.
    """
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, png = cv2.imencode('.png', bgr)
    with atomic_write(path) as file:
        file.write(png.tobytes())
