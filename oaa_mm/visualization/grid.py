"""Pictures laid out in rows, with captions and a legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

MARGIN = 8
CAPTION_HEIGHT = 20
HEADER_HEIGHT = 30
PAPER = 255
INK = (32, 32, 32)
FAINT = (140, 140, 140)
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture with a caption above it.

    Args:
        picture (np.ndarray): (H, W, 3) uint8 RGB.
        caption (str): One short line; shrunk to fit the picture's width.
    """

    picture: np.ndarray
    caption: str


def resize_to_height(picture: np.ndarray, height: int) -> np.ndarray:
    """Resize a picture to a height, keeping its proportions.

    Args:
        picture (np.ndarray): (H, W, 3) uint8.
        height (int): In pixels.

    Returns:
        np.ndarray: (height, W', 3) uint8.
    """
    width = max(round(picture.shape[1] * height / picture.shape[0]), 1)
    shrinks = height < picture.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=how)


def _text_width(text: str, scale: float) -> int:
    return cv2.getTextSize(text, FONT, scale, 1)[0][0]


def _draw_text(
    canvas: np.ndarray,
    text: str,
    left: int,
    baseline: int,
    *,
    scale: float = 0.45,
    color: tuple[int, int, int] = INK,
) -> None:
    # OpenCV's fonts know ASCII only and print `?` for the rest.
    text = text.encode('ascii', 'replace').decode()
    cv2.putText(
        canvas, text, (left, baseline), FONT, scale, color, 1, cv2.LINE_AA
    )


def empty_tile(height: int, width: int, caption: str, reason: str) -> Tile:
    """A tile for a picture that does not exist, which says why.

    Args:
        height (int): In pixels.
        width (int): In pixels.
        caption (str): As of the picture that is not there.
        reason (str): Few words, shown in the middle.

    Returns:
        Tile: Light grey with the reason.
    """
    picture = np.full((height, width, 3), 242, np.uint8)
    scale = _fitting_scale(reason, width - 12)
    left = max((width - _text_width(reason, scale)) // 2, 2)
    _draw_text(picture, reason, left, height // 2, scale=scale, color=FAINT)
    return Tile(picture, caption)


def _fitting_scale(text: str, width: int, scale: float = 0.45) -> float:
    needed = _text_width(text, scale)
    return scale if needed <= width else scale * width / needed


def _captioned(tile: Tile) -> np.ndarray:
    height, width = tile.picture.shape[:2]
    shape = (CAPTION_HEIGHT + height, width, 3)
    canvas = np.full(shape, PAPER, np.uint8)
    canvas[CAPTION_HEIGHT:] = tile.picture
    scale = _fitting_scale(tile.caption, width)
    _draw_text(canvas, tile.caption, 0, CAPTION_HEIGHT - 6, scale=scale)
    return canvas


def header(
    title: str, legend: Sequence[tuple[str, tuple[int, int, int]]]
) -> np.ndarray:
    """A line with a title and the classes' colours.

    Args:
        title (str): For example the image id.
        legend (Sequence[tuple[str, tuple[int, int, int]]]): Class name and
            RGB colour.

    Returns:
        np.ndarray: (30, W, 3) uint8 RGB, as wide as the text needs.
    """
    lengths = [_text_width(name, 0.45) + 40 for name, _ in legend]
    left = _text_width(title, 0.55) + 30
    shape = (HEADER_HEIGHT, left + sum(lengths), 3)
    canvas = np.full(shape, PAPER, np.uint8)
    _draw_text(canvas, title, 0, 20, scale=0.55)
    for (name, color), length in zip(legend, lengths, strict=True):
        cv2.rectangle(canvas, (left, 8), (left + 13, 21), color, -1)
        _draw_text(canvas, name, left + 20, 19)
        left += length
    return canvas


def compose_rows(
    rows: Sequence[Sequence[Tile]], *, top: np.ndarray | None = None
) -> np.ndarray:
    """Put tiles of equal height into rows, margins around each.

    Args:
        rows (Sequence[Sequence[Tile]]): Rows from top to bottom, tiles from
            left to right.
        top (np.ndarray | None): (H, W, 3) picture above the first row.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB on white.
    """
    bands = [] if top is None else [top]
    bands += [_band([_captioned(tile) for tile in row]) for row in rows]
    width = max(band.shape[1] for band in bands) + 2 * MARGIN
    height = sum(band.shape[0] + MARGIN for band in bands) + MARGIN
    canvas = np.full((height, width, 3), PAPER, np.uint8)
    y = MARGIN
    for band in bands:
        canvas[y : y + band.shape[0], MARGIN : MARGIN + band.shape[1]] = band
        y += band.shape[0] + MARGIN
    return canvas


def _band(pictures: Sequence[np.ndarray]) -> np.ndarray:
    gap = np.full((pictures[0].shape[0], MARGIN, 3), PAPER, np.uint8)
    pieces = [piece for picture in pictures for piece in (picture, gap)]
    return np.concatenate(pieces[:-1], axis=1)
