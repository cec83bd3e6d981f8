"""The questions that every collection of attention maps answers."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from oaa_mm.io import check_image_id
from oaa_mm.io.notebook import ShownInNotebooks

#: Image id and 0-based foreground class.
Pair = tuple[str, int]


class MapsByImage(ShownInNotebooks, Mapping):
    """A mapping of (image id, class) to maps, which knows images as well.

    Attributes:
        metadata (dict[str, Any]): The origin of the maps, as JSON types; the
            file holds it as well.
        path (str | os.PathLike): The file that the maps were read from;
            ``''`` where they were not.
    """

    view = 'maps'
    path: str | os.PathLike = ''
    metadata: dict[str, Any]
    data: Mapping[Pair, Any]  # the maps, or where they are read
    _classes: dict[str, list[int]] | None = None

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[Pair]:
        return iter(sorted(self.data))

    def __contains__(self, pair: Any) -> bool:
        return pair in self.data

    @property
    def image_ids(self) -> list[str]:
        """Ids of the images with at least one map, sorted."""
        return list(self._classes_by_image())

    @property
    def negatives(self) -> list[str]:
        """Ids of the images that were trained on as images of no class."""
        return list(map(check_image_id, self.metadata.get('negatives', ())))

    def classes_of(self, image_id: str) -> tuple[int, ...]:
        """Tell which classes of an image have a map.

        Args:
            image_id (str): The image.

        Returns:
            tuple[int, ...]: Class indices, sorted; empty if there is no map.
        """
        return tuple(self._classes_by_image().get(image_id, ()))

    def maps_of(self, image_id: str) -> dict[int, np.ndarray]:
        """Look up all maps of an image.

        Args:
            image_id (str): The image.

        Returns:
            dict[int, np.ndarray]: Class -> (h, w) uint8 map, sorted by class;
            empty if there is none.
        """
        return {c: self[image_id, c] for c in self.classes_of(image_id)}

    def _classes_by_image(self) -> dict[str, list[int]]:
        if self._classes is None:
            self._classes = {}
            for image_id, class_index in self:  # sorted
                self._classes.setdefault(image_id, []).append(class_index)
        return self._classes


def join_map(
    maps: dict[Pair, np.ndarray], pair: Pair, attention: np.ndarray
) -> None:
    """Take the element-wise maximum of a pair's map and another one.

    Args:
        maps (dict[Pair, np.ndarray]): Maps, of the pair or not; changed.
        pair (Pair): Image id and class.
        attention (np.ndarray): (h, w) uint8 map.

    Raises:
        ValueError: The pair's map has another size.
    """
    mine = maps.get(pair)
    if mine is None:
        maps[pair] = attention.copy()
    else:
        check_same_size(pair, mine, attention)
        np.maximum(mine, attention, out=mine)


def check_same_size(pair: Pair, mine: np.ndarray, other: np.ndarray) -> None:
    """Refuse to fuse maps of different sizes.

    Args:
        pair (Pair): Image id and class.
        mine (np.ndarray): The map that is there.
        other (np.ndarray): The map that came.

    Raises:
        ValueError: The sizes differ.
    """
    if mine.shape != other.shape:
        raise ValueError(
            f'image {pair[0]!r}, class {pair[1]}: its maps have '
            f'{mine.shape[0]}x{mine.shape[1]} cells, but now one of '
            f'{other.shape[0]}x{other.shape[1]} came. All maps of an image '
            'need one resolution: use a dataset of oaa_mm, which records what '
            'the transforms do, or pass `placements` with a `grid`.'
        )
