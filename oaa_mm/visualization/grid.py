"""Small pictures with captions, laid out in rows under a legend."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

MARGIN = 8
CAPTION_HEIGHT = 20
HEADER_HEIGHT = 30
PAPER = 255
EMPTY = 242
INK = (32, 32, 32)
FAINT = (140, 140, 140)
FONT = cv2.FONT_HERSHEY_SIMPLEX
JPEG_QUALITY = 82


@dataclass(frozen=True, eq=False)
class Tile:
    """A small picture with a caption, or the reason why there is none.

    Args:
        caption (str): One short line; shrunk to fit the picture's width.
        picture (np.ndarray | None): (H, W, 3) uint8 RGB.
        reason (str): Few words that stand in place of an absent picture.
    """

    caption: str
    picture: np.ndarray | None
    reason: str = ''


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


def jpeg_uri(picture: np.ndarray) -> str:
    """Encode a picture so that a page can hold it.

    Args:
        picture (np.ndarray): (H, W, 3) uint8 RGB.

    Returns:
        str: A data URI.
    """
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode('.jpg', picture[..., ::-1], quality)
    return f'data:image/jpeg;base64,{base64.b64encode(data).decode()}'


def _text_width(text: str, scale: float) -> int:
    return cv2.getTextSize(text, FONT, scale, 1)[0][0]


def _fitting_scale(text: str, width: int, scale: float = 0.45) -> float:
    needed = _text_width(text, scale)
    return scale if needed <= width else scale * width / needed


def _draw_text(
    canvas: np.ndarray,
    text: str,
    where: tuple[int, int],
    *,
    scale: float = 0.45,
    color: tuple[int, int, int] = INK,
) -> None:
    # OpenCV's fonts know ASCII only and print `?` for the rest.
    text = text.encode('ascii', 'replace').decode()
    cv2.putText(canvas, text, where, FONT, scale, color, 1, cv2.LINE_AA)


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
    _draw_text(canvas, title, (0, 20), scale=0.55)
    for (name, color), length in zip(legend, lengths, strict=True):
        cv2.rectangle(canvas, (left, 8), (left + 13, 21), color, -1)
        _draw_text(canvas, name, (left + 20, 19))
        left += length
    return canvas


def draw_grid(rows: Sequence[Sequence[Tile]], top: np.ndarray) -> np.ndarray:
    """Put tiles of one size into rows, with margins around each.

    Args:
        rows (Sequence[Sequence[Tile]]): Rows from top to bottom, tiles from
            left to right; at least one has a picture.
        top (np.ndarray): (H, W, 3) picture above the first row.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB on white.
    """
    pictures = (tile.picture for row in rows for tile in row)
    height, width = next(p.shape for p in pictures if p is not None)[:2]
    step = (CAPTION_HEIGHT + height + MARGIN, width + MARGIN)
    first_row = len(top) + 2 * MARGIN
    widest = max(top.shape[1] + MARGIN, step[1] * max(map(len, rows)))
    shape = (first_row + step[0] * len(rows), widest + MARGIN, 3)
    canvas = np.full(shape, PAPER, np.uint8)
    canvas[MARGIN:, MARGIN:][: len(top), : top.shape[1]] = top
    for i, row in enumerate(rows):
        for j, tile in enumerate(row):
            place = canvas[first_row + i * step[0] :, MARGIN + j * step[1] :]
            picture = _captioned(tile, height, width)
            place[: CAPTION_HEIGHT + height, :width] = picture
    return canvas


def _captioned(tile: Tile, height: int, width: int) -> np.ndarray:
    canvas = np.full((CAPTION_HEIGHT + height, width, 3), PAPER, np.uint8)
    scale = _fitting_scale(tile.caption, width)
    _draw_text(canvas, tile.caption, (0, CAPTION_HEIGHT - 6), scale=scale)
    if tile.picture is None:
        canvas[CAPTION_HEIGHT:] = EMPTY
        scale = _fitting_scale(tile.reason, width - 12)
        left = max((width - _text_width(tile.reason, scale)) // 2, 2)
        middle = CAPTION_HEIGHT + height // 2
        _draw_text(
            canvas, tile.reason, (left, middle), scale=scale, color=FAINT
        )
    else:
        canvas[CAPTION_HEIGHT:] = tile.picture
    return canvas
