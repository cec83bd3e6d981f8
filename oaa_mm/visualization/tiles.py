"""Maps and masks of one image as tiles.

Strips, films, comparisons and the report are all made of these tiles.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from oaa_mm.checks import check_number
from oaa_mm.io import classes_in

from .epochs import EpochMaps
from .grid import Tile, draw_grid, header, resize_to_height
from .overlay import class_color, overlay_attention, overlay_mask


class ImageTiles:
    """Draws maps and masks over one image, as tiles of one size.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        class_names (Sequence[str]): Names of the foreground classes, for
            legends.
        alpha (float): Weight of the colours over the image, 0..1. Defaults
            to 0.6.
        height (int): Height of each picture in pixels. Defaults to 200.

    Attributes:
        classes (set[int]): Classes of all maps and masks that were drawn.

    Raises:
        ValueError: `height` is below 16.

    Example:
        >>> import numpy as np
        >>> tiles = ImageTiles(np.zeros((40, 60, 3), np.uint8), ['cat'])
        >>> row = [tiles.image(), tiles.maps('A', {0: np.eye(4)})]
        >>> tiles.draw([row], '2007_000032').shape
        (274, 624, 3)
    """

    def __init__(
        self,
        image: np.ndarray,
        class_names: Sequence[str] = (),
        *,
        alpha: float = 0.6,
        height: int = 200,
    ) -> None:
        check_number('tile_height', height, low=16, integer=True)
        self.class_names = class_names
        self.classes: set[int] = set()
        self._image, self._alpha, self._height = image, alpha, height

    def image(self, caption: str = 'image') -> Tile:
        """The image itself.

        Args:
            caption (str): Defaults to ``'image'``.

        Returns:
            Tile: Always with a picture.
        """
        return self._tile(caption, self._image)

    def maps(
        self,
        caption: str,
        maps: Mapping[int, np.ndarray] | None,
        reason: str = 'no map',
        only: int | None = None,
    ) -> Tile:
        """Attention maps over the image, their classes blended.

        Args:
            caption (str): The tile's caption.
            maps (Mapping[int, np.ndarray] | None): Class index -> (h, w) map,
                uint8 0..255 or float 0..1; None where none were kept.
            reason (str): Why `maps` is None. Defaults to ``'no map'``.
            only (int | None): Draw this class alone. Defaults to None: all.

        Returns:
            Tile: Without a picture where there is no map.
        """
        if maps and only is not None:
            maps = {c: m for c, m in maps.items() if c == only}
        if not maps:
            return Tile(caption, None, reason if maps is None else 'no map')
        self.classes.update(maps)
        picture = overlay_attention(self._image, maps, alpha=self._alpha)
        return self._tile(caption, picture)

    def epoch(
        self,
        maps: EpochMaps,
        names: tuple[str, str] = ('A', 'M'),
        unit: str = 'epoch',
        only: int | None = None,
    ) -> tuple[Tile, Tile]:
        """The maps of one epoch alone, and those accumulated after it.

        Args:
            maps (EpochMaps): The maps.
            names (tuple[str, str]): How the captions call the two. Defaults
                to ``('A', 'M')``.
            unit (str): What the captions count. Defaults to ``'epoch'``.
            only (int | None): Draw this class alone. Defaults to None: all.

        Returns:
            tuple[Tile, Tile]: Both tiles, see :meth:`maps`.
        """
        current, accumulated = (f'{n}, {unit} {maps.epoch}' for n in names)
        return (
            self.maps(current, maps.current, 'not stored', only),
            self.maps(accumulated, maps.accumulated, maps.reason, only),
        )

    def mask(
        self, caption: str, mask: np.ndarray | None, only: int | None = None
    ) -> Tile:
        """A mask or label over the image.

        Args:
            caption (str): The tile's caption.
            mask (np.ndarray | None): (H, W) uint8: 0 background, c + 1 class
                c, 255 ignored; None where there is none.
            only (int | None): Draw this class alone. Defaults to None: all.

        Returns:
            Tile: Without a picture where there is no mask.

        Raises:
            ValueError: The mask has not the image's size.
        """
        if mask is None:
            return Tile(caption, None, 'none given')
        self.classes.update(classes_in(mask))
        if only is not None:
            mask = np.where(np.isin(mask, (only + 1, 255)), mask, 0)
        picture = overlay_mask(self._image, mask, alpha=self._alpha)
        return self._tile(caption, picture)

    def class_name(self, index: int) -> str:
        """Name of a class.

        Args:
            index (int): The foreground class, from 0.

        Returns:
            str: Its name.

        Raises:
            ValueError: The class has no name.
        """
        if index >= len(self.class_names):
            raise ValueError(
                f'there is a map or label of class {index}, but there are '
                f'only {len(self.class_names)} class names: '
                f'{", ".join(self.class_names)}'
            )
        return self.class_names[index]

    def draw(self, rows: Sequence[Sequence[Tile]], title: str) -> np.ndarray:
        """Draw a grid under a title and a legend of the classes drawn.

        Args:
            rows (Sequence[Sequence[Tile]]): Rows from top to bottom, tiles
                from left to right; at least one has a picture.
            title (str): For example the image id.

        Returns:
            np.ndarray: (H, W, 3) uint8 RGB on white.

        Raises:
            ValueError: A class has no name.
        """
        legend = [
            (self.class_name(c), class_color(c)) for c in sorted(self.classes)
        ]
        return draw_grid(rows, header(title, legend))

    def _tile(self, caption: str, picture: np.ndarray) -> Tile:
        return Tile(caption, resize_to_height(picture, self._height))
