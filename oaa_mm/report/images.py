"""The images of a report: their maps, labels and masks as small JPEGs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from oaa_mm.io.palette import read_index_png
from oaa_mm.visualization.draw import find_image, read_image
from oaa_mm.visualization.grid import resize_to_height
from oaa_mm.visualization.layouts import EpochMaps
from oaa_mm.visualization.overlay import overlay_attention, overlay_mask

JPEG_QUALITY = 82
#: Class index -> (h, w) uint8 map.
Maps = Mapping[int, np.ndarray]


@dataclass(frozen=True)
class Tile:
    """One picture of a card.

    Attributes:
        caption (str): What it shows.
        uri (str | None): The picture as a data URI; None if there is none.
        reason (str): Why not, in few words.
    """

    caption: str
    uri: str | None
    reason: str = ''


@dataclass(frozen=True)
class EpochTile:
    """One image at one epoch.

    Attributes:
        epoch (int): Counted from 1.
        current (Tile): A, the maps of that epoch alone.
        accumulated (Tile): M after it.
    """

    epoch: int
    current: Tile
    accumulated: Tile


@dataclass(frozen=True)
class ImageCard:
    """An image with all that was found of it.

    Attributes:
        image_id (str): The image.
        groups (tuple[str, ...]): Why it is shown: ``'best'`` and the like.
        score (float | None): What it was ranked by, in percent.
        width (int): Of each picture, in pixels.
        height (int): Likewise.
        image (Tile): The image itself.
        stages (tuple[Tile, ...]): Maps of single stores, labels, the mask.
        epochs (tuple[EpochTile, ...]): How attention grew; may be empty.
        classes (tuple[int, ...]): Classes of its maps, labels and mask.
    """

    image_id: str
    groups: tuple[str, ...]
    score: float | None
    width: int
    height: int
    image: Tile
    stages: tuple[Tile, ...] = ()
    epochs: tuple[EpochTile, ...] = ()
    classes: tuple[int, ...] = field(default_factory=tuple)


def jpeg_uri(picture: np.ndarray) -> str:
    """A picture as a data URI.

    Args:
        picture (np.ndarray): (H, W, 3) uint8 RGB.

    Returns:
        str: ``data:image/jpeg;base64,...``.
    """
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(
        '.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    )
    return f'data:image/jpeg;base64,{base64.b64encode(data).decode()}'


def draw_card(
    image_id: str,
    img_dir: Path,
    *,
    groups: Sequence[str],
    score: float | None,
    stores: Mapping[str, Maps],
    labels: Mapping[str, Path],
    epochs: Sequence[EpochMaps],
    alpha: float = 0.6,
    tile_height: int = 180,
) -> ImageCard:
    """Draw an image with its maps, labels and mask.

    Args:
        image_id (str): The image.
        img_dir (Path): Folder of the images.
        groups (Sequence[str]): See :class:`ImageCard`.
        score (float | None): See :class:`ImageCard`.
        stores (Mapping[str, Maps]): Caption -> its maps; may be empty.
        labels (Mapping[str, Path]): Caption -> PNG of a label or the mask;
            it may be absent.
        epochs (Sequence[EpochMaps]): Its maps at some epochs.
        alpha (float): Weight of the colours. Defaults to 0.6.
        tile_height (int): Height of the pictures in pixels. Defaults to 180.

    Returns:
        ImageCard: With all pictures.

    Raises:
        FileNotFoundError: There is no such image.
        ValueError: A file does not fit; it is named.
    """
    image = read_image(find_image(img_dir, image_id))
    painter = _Painter(image, alpha, tile_height)
    stages = [painter.maps(name, maps) for name, maps in stores.items()]
    stages += [painter.label(name, path) for name, path in labels.items()]
    evolution = tuple(
        EpochTile(
            e.epoch,
            painter.maps('attention', e.current, 'not stored'),
            painter.maps('OAA', e.accumulated, e.reason),
        )
        for e in epochs
    )
    small = resize_to_height(image, tile_height)
    return ImageCard(
        image_id,
        tuple(groups),
        None if score is None else 100 * score,
        width=small.shape[1],
        height=small.shape[0],
        image=Tile('image', jpeg_uri(small)),
        stages=tuple(stages),
        epochs=evolution,
        classes=tuple(sorted(painter.classes)),
    )


class _Painter:
    """Draws over one image, and notes the classes that it has drawn."""

    def __init__(self, image: np.ndarray, alpha: float, height: int) -> None:
        self.image, self.alpha, self.height = image, alpha, height
        self.classes: set[int] = set()

    def maps(
        self, caption: str, maps: Maps | None, reason: str = 'no map'
    ) -> Tile:
        """Maps, all classes blended."""
        if not maps:
            return Tile(caption, None, reason if maps is None else 'no map')
        self.classes.update(maps)
        picture = overlay_attention(self.image, maps, alpha=self.alpha)
        return self._tile(caption, picture)

    def label(self, caption: str, path: Path) -> Tile:
        """A label or mask."""
        if not path.is_file():
            return Tile(caption, None, 'none')
        label = read_index_png(path)
        try:
            picture = overlay_mask(self.image, label, alpha=self.alpha)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        self.classes |= {v - 1 for v in np.unique(label).tolist()} - {-1, 254}
        return self._tile(caption, picture)

    def _tile(self, caption: str, picture: np.ndarray) -> Tile:
        return Tile(caption, jpeg_uri(resize_to_height(picture, self.height)))
