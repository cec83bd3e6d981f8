"""From images and their maps to files of pictures."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from oaa_mm.checks import check_number
from oaa_mm.datasets import find_by_id, find_images
from oaa_mm.io import read_image, read_mask, write_image
from oaa_mm.io.progress import progress

from .film import FILM_SUFFIXES, write_film
from .layouts import Rows
from .tiles import ImageTiles

#: (image id, tiles of its image, its mask) -> the rows of each frame.
Layout = Callable[[str, ImageTiles, np.ndarray | None], list[Rows]]


def choose_ids(
    known: Iterable[str],
    *,
    ids: Sequence[str] | None = None,
    number: int | None = None,
    seed: int = 0,
) -> list[str]:
    """The images to draw: those named, or some at random.

    Args:
        known (Iterable[str]): Ids of the images that have maps.
        ids (Sequence[str] | None): The images by name.
        number (int | None): How many to choose at random where `ids` is None.
        seed (int): Seed of the random choice. Defaults to 0.

    Returns:
        list[str]: Image ids.

    Raises:
        ValueError: No image is known, one that is named is unknown, or
            `number` is not positive.
    """
    known = sorted(known)
    if not known:
        raise ValueError(
            'there is no attention map to draw; choose other epochs or stores'
        )
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


def draw_pictures(
    paths: Mapping[str, str | os.PathLike],
    layout: Layout,
    *,
    img_dir: str | os.PathLike,
    class_names: Sequence[str],
    mask_dir: str | os.PathLike | None = None,
    alpha: float = 0.6,
    tile_height: int = 200,
    seconds: float = 0.5,
) -> None:
    """Draw images as strips, films or comparisons.

    Args:
        paths (Mapping[str, str | os.PathLike]): Image id -> the file to
            write, ``*.png``, ``*.gif`` or ``*.mp4``.
        layout (Layout): Gives the rows of each frame, from an image id, the
            tiles of its image, and its mask; see
            :mod:`oaa_mm.visualization.layouts`.
        img_dir (str | os.PathLike): Folder of the images.
        class_names (Sequence[str]): Names of the foreground classes.
        mask_dir (str | os.PathLike | None): Folder of masks,
            ``{image_id}.png``, if there is one.
        alpha (float): Weight of the colours over the image, 0..1. Defaults
            to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.
        seconds (float): How long a film shows each frame. Defaults to 0.5.

    Raises:
        FileNotFoundError: An image or mask is absent.
        ValueError: An image, a mask or a class does not fit; it is named.
    """
    images = find_images(img_dir, paths)
    masks = find_by_id(mask_dir, paths) if mask_dir is not None else {}
    for image_id, path in progress(paths.items(), 'pictures'):
        mask = read_mask(masks[image_id]) if masks else None
        source = images[image_id]
        try:
            tiles = ImageTiles(
                read_image(source),
                class_names,
                alpha=alpha,
                height=tile_height,
            )
            frames = layout(image_id, tiles, mask)
            pictures = [tiles.draw(rows, image_id) for rows in frames]
        except ValueError as error:
            raise ValueError(f'{source}: {error}') from error
        if Path(path).suffix.lower() in FILM_SUFFIXES:
            write_film(path, pictures, seconds=seconds)
        else:
            write_image(path, pictures[0])
