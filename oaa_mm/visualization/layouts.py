"""Which tiles a strip, a film and a comparison show, row by row."""

from collections.abc import Mapping, Sequence

import numpy as np

from .epochs import EpochMaps
from .grid import Tile
from .tiles import ImageTiles

Rows = list[list[Tile]]


def strip_rows(
    tiles: ImageTiles,
    epochs: Sequence[EpochMaps],
    mask: np.ndarray | None = None,
    *,
    per_class: bool = False,
) -> Rows:
    """Lay out the image, its attention at some epochs, and its mask.

    One row shows A, the attention of each epoch alone, if any epoch has it;
    the next M, the accumulated attention. All classes are blended, or each
    class has its own rows.

    Args:
        tiles (ImageTiles): Draws over the image.
        epochs (Sequence[EpochMaps]): At least one; a column each.
        mask (np.ndarray | None): (H, W) uint8 mask, if there is one.
        per_class (bool): Rows for each class in place of blended ones.
            Defaults to False.

    Returns:
        Rows: For :meth:`ImageTiles.draw`.

    Raises:
        ValueError: `epochs` is empty, a class has no name, or the mask has
            not the image's size.
    """
    if not epochs:
        raise ValueError('a strip needs at least one epoch')
    classes = sorted({c for epoch in epochs for c in epoch.classes})
    with_current = any(epoch.current is not None for epoch in epochs)
    rows = []
    for only in (per_class and classes) or [None]:
        name = '' if only is None else f', {tiles.class_name(only)}'
        image = tiles.image(f'image{name}')
        side = tiles.mask('mask', mask, only)
        columns = (tiles.epoch(epoch, only=only) for epoch in epochs)
        current, accumulated = zip(*columns, strict=True)
        if with_current:
            rows += [[image, *current], [side, *accumulated]]
        else:
            masks = [] if mask is None else [side]
            rows.append([image, *accumulated, *masks])
    return rows


def film_rows(
    tiles: ImageTiles,
    epochs: Sequence[EpochMaps],
    mask: np.ndarray | None = None,
    *,
    unit: str = 'epoch',
) -> list[Rows]:
    """Lay out one frame for each epoch: image, A if any epoch has it, M, mask.

    Args:
        tiles (ImageTiles): Draws over the image.
        epochs (Sequence[EpochMaps]): A frame each.
        mask (np.ndarray | None): (H, W) uint8 mask, if there is one.
        unit (str): What the captions count. Defaults to ``'epoch'``.

    Returns:
        list[Rows]: For :meth:`ImageTiles.draw`, all of one size.

    Raises:
        ValueError: The mask has not the image's size.
    """
    # A is left out where it was not kept.
    first = 0 if any(epoch.current is not None for epoch in epochs) else 1
    masks = [] if mask is None else [tiles.mask('mask', mask)]
    return [
        [[tiles.image(), *tiles.epoch(epoch, unit=unit)[first:], *masks]]
        for epoch in epochs
    ]


def comparison_rows(
    tiles: ImageTiles,
    attention: Mapping[str, Mapping[int, np.ndarray]],
    labels: Mapping[str, np.ndarray | None],
) -> Rows:
    """Lay out an image, its maps of several stages, and its labels.

    Args:
        tiles (ImageTiles): Draws over the image.
        attention (Mapping[str, Mapping[int, np.ndarray]]): Caption -> class
            index -> (h, w) map.
        labels (Mapping[str, np.ndarray | None]): Caption -> (H, W) uint8
            label or mask; None where the image has none.

    Returns:
        Rows: One row, for :meth:`ImageTiles.draw`.

    Raises:
        ValueError: A label has not the image's size.
    """
    maps = [tiles.maps(name, found) for name, found in attention.items()]
    masks = [tiles.mask(name, label) for name, label in labels.items()]
    return [[tiles.image(), *maps, *masks]]
