"""Maps and labels of several stages side by side, one picture per image."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress
from oaa_mm.pseudo_labels.layout import label_dir

from .draw import find_image, read_image, write_picture
from .grid import Tile, compose_rows, empty_tile, header, resize_to_height
from .overlay import class_color, overlay_attention, overlay_mask

IGNORE_INDEX = 255
#: (image id, class index) -> (h, w) uint8 map.
Store = Mapping[tuple[str, int], np.ndarray]


def comparison_row(
    image: np.ndarray,
    attention: Mapping[str, Mapping[int, np.ndarray]],
    labels: Mapping[str, np.ndarray],
    *,
    title: str,
    class_names: Sequence[str],
    alpha: float = 0.6,
    tile_height: int = 200,
) -> np.ndarray:
    """Draw an image, its maps of several stages, and its labels.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        attention (Mapping[str, Mapping[int, np.ndarray]]): Caption -> class
            index -> (h, w) map, uint8 0..255 or float 0..1.
        labels (Mapping[str, np.ndarray]): Caption -> (H, W) uint8: 0
            background, c + 1 class c, 255 ignored (near white).
        title (str): For example the image id.
        class_names (Sequence[str]): Names of the foreground classes.
        alpha (float): Weight of the colours, 0..1. Defaults to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.

    Returns:
        np.ndarray: (H', W', 3) uint8 RGB.

    Raises:
        ValueError: A class has no name, or a label has not the image's size.
    """
    named = _named_classes(attention, labels)
    if named and named[-1] >= len(class_names):
        raise ValueError(
            f'there is a map or label of class {named[-1]}, but there are '
            f'only {len(class_names)} class names: {", ".join(class_names)}'
        )
    shown = {'image': image}
    for caption, maps in attention.items():
        shown[caption] = (
            overlay_attention(image, maps, alpha=alpha) if maps else None
        )
    for caption, label in labels.items():
        shown[caption] = overlay_mask(image, label, alpha=alpha)
    width = resize_to_height(image, tile_height).shape[1]
    tiles = [
        empty_tile(tile_height, width, caption, 'no map')
        if picture is None
        else Tile(resize_to_height(picture, tile_height), caption)
        for caption, picture in shown.items()
    ]
    legend = [(class_names[c], class_color(c)) for c in named]
    return compose_rows([tiles], top=header(title, legend))


def _named_classes(
    attention: Mapping[str, Mapping[int, np.ndarray]],
    labels: Mapping[str, np.ndarray],
) -> list[int]:
    """Classes of the maps and labels, for the legend."""
    classes = {c for maps in attention.values() for c in maps}
    for label in labels.values():
        values = np.unique(label).tolist()
        classes |= {v - 1 for v in values if v not in (0, IGNORE_INDEX)}
    return sorted(classes)


def draw_comparisons(
    image_ids: Sequence[str],
    out_dir: str | os.PathLike,
    *,
    stores: Mapping[str, Store],
    label_dirs: Mapping[str, str | os.PathLike],
    img_dir: str | os.PathLike,
    class_names: Sequence[str],
    mask_dir: str | os.PathLike | None = None,
    alpha: float = 0.6,
    tile_height: int = 200,
) -> list[Path]:
    """Write :func:`comparison_row` of each image as ``{image_id}.png``.

    Args:
        image_ids (Sequence[str]): The images.
        out_dir (str | os.PathLike): Made if absent.
        stores (Mapping[str, Store]): Caption -> store.
        label_dirs (Mapping[str, str | os.PathLike]): Caption -> folder of
            ``{image_id}.png``, or one that holds them in ``labels/``.
        img_dir (str | os.PathLike): Folder of the images.
        class_names (Sequence[str]): Names of the foreground classes.
        mask_dir (str | os.PathLike | None): Folder of masks, drawn last.
        alpha (float): Weight of the colours. Defaults to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.

    Returns:
        list[Path]: The files.

    Raises:
        FileNotFoundError: An image, label or mask is absent.
        ValueError: One of them, or a class, does not fit; it is named.
    """
    folders = {name: label_dir(path) for name, path in label_dirs.items()}
    if mask_dir is not None:
        folders['mask'] = Path(mask_dir)
    classes = {
        name: classes_of_images(store) for name, store in stores.items()
    }
    written = []
    for image_id in progress(image_ids, 'pictures'):
        path = find_image(img_dir, image_id)
        attention = {
            name: {
                c: store[image_id, c] for c in classes[name].get(image_id, ())
            }
            for name, store in stores.items()
        }
        labels = {
            name: read_index_png(folder / f'{image_id}.png')
            for name, folder in folders.items()
        }
        try:
            picture = comparison_row(
                read_image(path),
                attention,
                labels,
                title=image_id,
                class_names=class_names,
                alpha=alpha,
                tile_height=tile_height,
            )
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        written.append(Path(out_dir) / f'{image_id}.png')
        write_picture(written[-1], picture)
    return written


def classes_of_images(store: Store) -> dict[str, list[int]]:
    """The classes of which each image has a map.

    Args:
        store (Store): The maps.

    Returns:
        dict[str, list[int]]: Image id -> class indices; none is empty.
    """
    classes: dict[str, list[int]] = {}
    for image_id, class_index in store:
        classes.setdefault(image_id, []).append(class_index)
    return classes
