"""Stores and folders of labels as small pictures in a notebook."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np

from oaa_mm.attention.by_image import MapsByImage
from oaa_mm.attention.record import DataRecord
from oaa_mm.io import read_image
from oaa_mm.pseudo_labels import LabelFolder
from oaa_mm.registry import VIEWS

from .epochs import evenly_spaced
from .grid import jpeg_uri, resize_to_height
from .layouts import comparison_rows
from .tiles import ImageTiles

#: How many images a notebook shows.
NUM_THUMBNAILS = 6
#: Their height in pixels.
HEIGHT = 120
_GRID = 'display: flex; flex-wrap: wrap; gap: 8px; align-items: start'


def thumbnail(
    image_id: str,
    image: np.ndarray | None,
    class_names: Sequence[str] = (),
    *,
    attention: Mapping[int, np.ndarray] | None = None,
    label: np.ndarray | None = None,
) -> str:
    """Draw an image with its maps and label, side by side.

    Args:
        image_id (str): The title.
        image (np.ndarray | None): (H, W, 3) uint8 RGB; None leaves it out
            and draws on black.
        class_names (Sequence[str]): Names of the foreground classes.
            Defaults to none: their numbers stand in the legend.
        attention (Mapping[int, np.ndarray] | None): Class index -> (h, w)
            map, uint8 0..255. Defaults to None: no tile of maps.
        label (np.ndarray | None): (H, W) uint8. Defaults to None: no tile.

    Returns:
        str: An ``<img>`` of HTML, with its picture.
    """
    masks = {} if label is None else {'label': label}
    maps = {} if attention is None else {'attention': attention}
    first = 0 if image is not None else 1
    if image is None:
        shown = next(iter([*masks.values(), *(attention or {}).values()]))
        image = np.zeros((*shown.shape, 3), np.uint8)
    # What is small is drawn fast, whatever the size of the photograph.
    image = resize_to_height(image, HEIGHT)
    masks = {
        name: cv2.resize(
            mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST
        )
        for name, mask in masks.items()
    }
    alpha = 1 if first else 0.6  # black has nothing to show through
    tiles = ImageTiles(image, class_names, alpha=alpha, height=HEIGHT)
    (row,) = comparison_rows(tiles, maps, masks)
    if not class_names:
        numbers = range(max(tiles.classes, default=0) + 1)
        tiles.class_names = [f'class {c}' for c in numbers]
    names = ', '.join(map(tiles.class_name, sorted(tiles.classes)))
    shown = ', '.join(tile.caption for tile in row[first:])
    alt = escape(f'{image_id}: {shown}; {names or "no class"}')
    uri = jpeg_uri(tiles.draw([row[first:]], image_id))
    return f'<img src="{uri}" alt="{alt}">'


def thumbnails(pictures: Sequence[str], caption: str) -> str:
    """Put thumbnails below a line of text.

    Args:
        pictures (Sequence[str]): Results of :func:`thumbnail`.
        caption (str): The text.

    Returns:
        str: HTML, as wide as the page.
    """
    grid = f'<div style="{_GRID}">{"".join(pictures)}</div>'
    return f'<p>{escape(caption)}</p>{grid}'


@VIEWS.register_module('maps')
def show_maps(store: MapsByImage) -> str:
    """Draw some images of a store, evenly spaced.

    Args:
        store (MapsByImage): Only the maps of these images are read.

    Returns:
        str: HTML.

    Raises:
        ValueError: A map, or the record of the data set, is damaged.
    """
    data = DataRecord.of_stores([store], store.path)
    ids = evenly_spaced(store.image_ids, NUM_THUMBNAILS)
    caption = f'{len(store)} attention maps, {len(store.image_ids)} images'
    maps = {i: dict(attention=store.maps_of(i)) for i in ids}
    return _show(data, maps, caption)


@VIEWS.register_module('labels')
def show_labels(labels: LabelFolder) -> str:
    """Draw some labels of a folder, evenly spaced.

    Args:
        labels (LabelFolder): Only these labels are read.

    Returns:
        str: HTML.

    Raises:
        ValueError: A label is damaged.
    """
    ids = evenly_spaced(list(labels), NUM_THUMBNAILS)
    chosen = {i: dict(label=labels[i]) for i in ids}
    return _show(labels.data, chosen, f'{len(labels)} labels')


def _show(
    data: DataRecord, drawn: Mapping[str, Mapping[str, Any]], caption: str
) -> str:
    """Draw maps or labels over the images of a data set that are there."""
    pictures, absent = [], 0
    for image_id, options in drawn.items():
        try:
            image = read_image(data.find_images([image_id])[image_id])
        except (FileNotFoundError, ValueError):
            image = None
            absent += 1
        options = {'class_names': data.classes, **options}
        pictures.append(thumbnail(image_id, image, **options))
    caption += f', {len(pictures)} of them shown'
    if absent:
        caption += f' ({absent} without the image, which is not found)'
    return thumbnails(pictures, caption)
