"""Undoing augmentation: how a map lies in its image's own frame.

The *frame* is the whole image at its nominal network size, un-flipped. The
network may have seen it flipped, at another scale, or only a box of it. Maps
are stored on one *grid* of cells per image, the resolution that the network
has for the whole frame, so that maps of different epochs can be fused.

A map of h x w cells is taken to cover its input evenly, each cell 1/h by 1/w
of it: the convention of everything that resizes maps to images, and the one
under which a flip is undone exactly.
"""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Placement:
    """Where the network's input lies in the frame of its image.

    Attributes:
        frame (tuple[int, int]): Height and width of the whole image at its
            nominal network size, in pixels.
        box (tuple[float, float, float, float] | None): Top, left, bottom,
            right of the part of the frame that the network saw, in pixels of
            the frame; None means all of it.
        flip_horizontal (bool): The network saw that part mirrored left-right.
        flip_vertical (bool): The network saw that part mirrored top-bottom.
        grid (tuple[int, int] | None): Rows and columns of cells on which the
            map of the whole frame is stored. None takes the resolution of the
            map itself, scaled up from the box to the frame.
    """

    frame: tuple[int, int]
    box: tuple[float, float, float, float] | None = None
    flip_horizontal: bool = False
    flip_vertical: bool = False
    grid: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Refuse a box that is empty or leaves the frame."""
        if min(self.frame) < 1:
            raise ValueError(f'frame {self.frame} is empty')
        top, left, bottom, right = self.seen
        if not (
            0 <= top < bottom <= self.frame[0]
            and 0 <= left < right <= self.frame[1]
        ):
            raise ValueError(
                f'box {self.box} is empty or leaves its frame {self.frame}'
            )

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """Top, left, bottom, right of the part seen, in frame pixels."""
        if self.box is None:
            return 0.0, 0.0, float(self.frame[0]), float(self.frame[1])
        return self.box

    @property
    def whole(self) -> bool:
        """Whether the network saw the whole frame."""
        return self.seen == (0, 0, *self.frame)

    def grid_for(self, size: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the frame's grid for a map of `size` cells."""
        if self.grid is not None:
            return self.grid
        if self.whole:
            return size
        top, left, bottom, right = self.seen
        return (
            max(1, round(size[0] * self.frame[0] / (bottom - top))),
            max(1, round(size[1] * self.frame[1] / (right - left))),
        )


def _axis_weights(
    low: float, high: float, frame: int, cells: int, size: int
) -> tuple[np.ndarray, slice]:
    """Bilinear weights from `size` map cells on [low, high) to grid cells.

    Returns the (n, size) weights of the n grid cells whose centres lie within
    [low, high), and the slice of the axis that these cells are.
    """
    centres = (np.arange(cells) + 0.5) * (frame / cells)
    start, stop = np.searchsorted(centres, (low, high))
    position = (centres[start:stop] - low) * (size / (high - low)) - 0.5
    return _bilinear(position, size), slice(int(start), int(stop))


def _bilinear(position: np.ndarray, size: int) -> np.ndarray:
    """(n, size) weights of the cells around n positions, in cells."""
    # Rounding noise of the positions must not turn an exact copy into an
    # interpolation between a cell and its neighbour.
    position = position.round(9).clip(0, size - 1)
    floor = np.floor(position).astype(int)
    share = position - floor
    weights = np.zeros((len(position), size))
    index = np.arange(len(position))
    weights[index, floor] = 1 - share
    weights[index, np.minimum(floor + 1, size - 1)] += share
    return weights


def to_frame(
    attention: np.ndarray, placement: Placement | None
) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Bring attention maps back to the frame of their image.

    Flips are undone exactly. A map whose cells coincide with grid cells is
    copied exactly; any other is interpolated bilinearly at the centres of the
    grid cells that lie within the part that the network saw.

    Args:
        attention (np.ndarray): (..., h, w) uint8 maps without padding.
        placement (Placement | None): How they lie in the frame; None for maps
            of the whole image as it is.

    Returns:
        tuple[np.ndarray, tuple[slice, slice]]: The (..., rows, columns) uint8
        maps on the grid, 0 where the network did not look, and the rows and
        columns of cells that it saw.
    """
    if placement is None:
        return attention, (slice(None), slice(None))
    if placement.flip_vertical:
        attention = attention[..., ::-1, :]
    if placement.flip_horizontal:
        attention = attention[..., ::-1]
    size = attention.shape[-2:]
    grid = placement.grid_for(size)
    if placement.whole and grid == size:
        return attention, (slice(0, grid[0]), slice(0, grid[1]))
    top, left, bottom, right = placement.seen
    frame = placement.frame
    down, rows = _axis_weights(top, bottom, frame[0], grid[0], size[0])
    across, columns = _axis_weights(left, right, frame[1], grid[1], size[1])
    placed = np.zeros((*attention.shape[:-2], *grid), np.uint8)
    placed[..., rows, columns] = np.rint(down @ attention @ across.T)
    return placed, (rows, columns)


def _view_weights(
    low: float, high: float, frame: int, cells: int, size: int
) -> np.ndarray:
    """(size, cells) weights from grid cells to map cells on [low, high)."""
    centres = low + (np.arange(size) + 0.5) * ((high - low) / size)
    return _bilinear(centres * (cells / frame) - 0.5, cells)


def from_frame(
    attention: np.ndarray, placement: Placement, size: tuple[int, int]
) -> np.ndarray:
    """Bring attention maps from the frame of their image to the part seen.

    The inverse of :func:`to_frame`: whole maps go through the augmentation
    that their image went through. Flips are exact; a map whose cells coincide
    with those of the frame is copied exactly, any other is interpolated
    bilinearly.

    Interpolation never makes a new region of attention: a cell is 0 where
    more than half of what lies under it was exactly 0, as are values that
    round to 0. Otherwise attention would grow a rim of small values, which
    the loss of OAA+ takes for positive.

    Args:
        attention (np.ndarray): (..., rows, columns) uint8 maps of the whole
            frame, on any grid.
        placement (Placement): How the network's input lies in the frame; its
            `grid` does not matter.
        size (tuple[int, int]): Height and width, in cells without padding, of
            the network's map of its input.

    Returns:
        np.ndarray: (..., h, w) uint8 maps.
    """
    grid = attention.shape[-2:]
    if not (placement.whole and grid == tuple(size)):
        top, left, bottom, right = placement.seen
        frame = placement.frame
        down = _view_weights(top, bottom, frame[0], grid[0], size[0])
        across = _view_weights(left, right, frame[1], grid[1], size[1]).T
        attended = down @ (attention > 0) @ across
        values = np.rint(down @ attention @ across)
        # A little less than half, for the rounding of the products.
        attention = values.astype(np.uint8) * (attended > 0.5 - 1e-6)
    if placement.flip_vertical:
        attention = attention[..., ::-1, :]
    if placement.flip_horizontal:
        attention = attention[..., ::-1]
    return attention


def resize_attention(
    attention: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Resize an attention map to its image, by cubic interpolation.

    Args:
        attention (np.ndarray): (h, w), uint8 0..255 or float 0..1.
        size (tuple[int, int]): Height H and width W of the image in pixels.

    Returns:
        np.ndarray: (H, W) float32, 0..255.
    """
    scale = 1.0 if attention.dtype == np.uint8 else 255.0
    large = attention.astype(np.float32) * scale
    if large.shape != tuple(size):
        large = cv2.resize(
            large, (size[1], size[0]), interpolation=cv2.INTER_CUBIC
        )
    # Cubic overshoot would raise the peak above the values that were there.
    return large.clip(0, 255)


def attention_to_image(
    attention: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Resize an attention map to its image and stretch it to 0..255.

    After the resize, min-max normalisation: the a_k that pseudo-label
    composition, evaluation and pictures use. A constant map becomes all zero.

    Args:
        attention (np.ndarray): (h, w), uint8 0..255 or float 0..1.
        size (tuple[int, int]): Height H and width W of the image in pixels.

    Returns:
        np.ndarray: (H, W) uint8, 0..255.
    """
    large = resize_attention(attention, size)
    low, high = float(large.min()), float(large.max())
    if high <= low:
        return np.zeros(size, np.uint8)
    return np.rint((large - low) * (255 / (high - low))).astype(np.uint8)
