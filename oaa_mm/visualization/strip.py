"""How attention grew over the epochs, as one picture per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oaa_mm.checks import check_number

from .overlay import class_color, overlay_attention, overlay_mask
from .tiles import Tile, compose_rows, empty_tile, header, resize_to_height

#: Class index -> (h, w) uint8 map.
Maps = Mapping[int, np.ndarray]


@dataclass(frozen=True, eq=False)
class EpochMaps:
    """The maps of one image at one epoch.

    Args:
        epoch (int): Counted from 1.
        current (Maps | None): A, the maps of this epoch alone; None where
            they were not kept.
        accumulated (Maps | None): M after this epoch; None where there is
            none.
        reason (str): Few words on why `accumulated` is None.
    """

    epoch: int
    current: Maps | None = None
    accumulated: Maps | None = None
    reason: str = 'not started'


def evolution_strip(
    image: np.ndarray,
    epochs: Sequence[EpochMaps],
    *,
    title: str,
    class_names: Sequence[str],
    mask: np.ndarray | None = None,
    per_class: bool = False,
    alpha: float = 0.6,
    tile_height: int = 200,
) -> np.ndarray:
    """Draw the image, its attention at some epochs, and its mask.

    One row shows A, the attention of each epoch alone, if any epoch has it;
    the next M, what has been accumulated. All classes are blended, or each
    class has rows of its own.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        epochs (Sequence[EpochMaps]): At least one; a column each.
        title (str): For example the image id.
        class_names (Sequence[str]): Names of the foreground classes.
        mask (np.ndarray | None): (H, W) uint8 mask, if there is one.
        per_class (bool): Rows for each class in place of blended ones.
            Defaults to False.
        alpha (float): Weight of the colours over the image, 0..1. Defaults
            to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.

    Returns:
        np.ndarray: (H', W', 3) uint8 RGB.

    Raises:
        ValueError: `epochs` is empty, a class has no name, or the mask has
            not the image's size.
    """
    if not epochs:
        raise ValueError('a strip needs at least one epoch')
    check_number('tile_height', tile_height, low=16, integer=True)
    classes = _classes_of(epochs)
    legend = legend_of(epochs, mask, class_names)
    painter = _Painter(image, mask, class_names, alpha, tile_height)
    # None stands for all classes blended.
    groups = classes if per_class and classes else (None,)
    rows = [row for only in groups for row in painter.rows(epochs, only)]
    return compose_rows(rows, top=header(title, legend))


def legend_of(
    epochs: Sequence[EpochMaps],
    mask: np.ndarray | None,
    class_names: Sequence[str],
) -> list[tuple[str, tuple[int, int, int]]]:
    """Names and colours of the classes in maps and mask.

    Args:
        epochs (Sequence[EpochMaps]): Of one image.
        mask (np.ndarray | None): Its (H, W) uint8 mask, if there is one.
        class_names (Sequence[str]): Names of the foreground classes.

    Returns:
        list[tuple[str, tuple[int, int, int]]]: Name and RGB colour.

    Raises:
        ValueError: A class has no name.
    """
    named = sorted({*_classes_of(epochs), *_classes_in(mask)})
    if named and named[-1] >= len(class_names):
        raise ValueError(
            f'there is a map or mask of class {named[-1]}, but there are only '
            f'{len(class_names)} class names: {", ".join(class_names)}'
        )
    return [(class_names[c], class_color(c)) for c in named]


def _classes_of(epochs: Sequence[EpochMaps]) -> tuple[int, ...]:
    found: set[int] = set()
    for maps in epochs:
        found.update(maps.current or (), maps.accumulated or ())
    return tuple(sorted(found))


def _classes_in(mask: np.ndarray | None) -> set[int]:
    if mask is None:
        return set()
    return {value - 1 for value in np.unique(mask).tolist()} - {-1, 254}


@dataclass(frozen=True, eq=False)
class _Painter:
    """Makes the tiles of one image."""

    image: np.ndarray
    mask: np.ndarray | None
    class_names: Sequence[str]
    alpha: float
    height: int

    def rows(
        self, epochs: Sequence[EpochMaps], only: int | None
    ) -> list[list[Tile]]:
        """The rows of one class, or of all: A if it exists, and M."""
        suffix = '' if only is None else f', {self.class_names[only]}'
        current = [
            self._tile(e.current, only, f'A, epoch {e.epoch}', 'not stored')
            for e in epochs
        ]
        accumulated = [
            self._tile(e.accumulated, only, f'M, epoch {e.epoch}', e.reason)
            for e in epochs
        ]
        image = self._small(self.image, f'image{suffix}')
        if all(e.current is None for e in epochs):
            return [[image, *accumulated, *self._masks(only)]]
        side = self._masks(only) or [
            empty_tile(*image.picture.shape[:2], 'mask', 'none given')
        ]
        return [[image, *current], [*side, *accumulated]]

    def _small(self, picture: np.ndarray, caption: str) -> Tile:
        return Tile(resize_to_height(picture, self.height), caption)

    def _tile(
        self,
        maps: Maps | None,
        only: int | None,
        caption: str,
        reason: str,
    ) -> Tile:
        chosen = {c: m for c, m in (maps or {}).items() if only in (None, c)}
        if not chosen:
            width = resize_to_height(self.image, self.height).shape[1]
            why = reason if maps is None else 'no map'
            return empty_tile(self.height, width, caption, why)
        picture = overlay_attention(self.image, chosen, alpha=self.alpha)
        return self._small(picture, caption)

    def _masks(self, only: int | None) -> list[Tile]:
        """The mask, of one class or all; nothing without a mask."""
        if self.mask is None:
            return []
        shown = self.mask
        if only is not None:
            keep = np.isin(shown, (only + 1, 255))
            shown = np.where(keep, shown, 0).astype(np.uint8)
        picture = overlay_mask(self.image, shown, alpha=self.alpha)
        return [self._small(picture, 'mask')]
