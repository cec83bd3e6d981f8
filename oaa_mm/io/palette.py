"""Palette PNGs: the form in which PASCAL VOC and mmseg keep masks."""

from __future__ import annotations

import os
from functools import lru_cache

import numpy as np
from PIL import Image

from oaa_mm.checks import check_number

from .files import atomic_write
from .images import open_image

#: Pillow's modes whose pixels are indices: palette, 8-bit grey, 1-bit.
INDEX_MODES = ('P', 'L', '1')


@lru_cache(maxsize=1)
def _full_colormap() -> np.ndarray:
    """The 256 colours: bit i of an index is a high bit of one channel."""
    index = np.arange(256)
    colors = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            value = (index >> (3 * bit + channel)) & 1
            colors[:, channel] |= (value << (7 - bit)).astype(np.uint8)
    return colors


def voc_colormap(n: int = 256) -> np.ndarray:
    """The colours that PASCAL VOC gives to mask values.

    Args:
        n (int): The number of colours, 0..256. Defaults to 256.

    Returns:
        np.ndarray: (n, 3) uint8 RGB colours; a new array at each call.

    Raises:
        ValueError: `n` is not in 0..256.
    """
    check_number('n', n, low=0, high=256, integer=True)
    return _full_colormap()[:n].copy()


def write_index_png(path: str | os.PathLike, index: np.ndarray) -> None:
    """Write mask values as a palette PNG in VOC's colours.

    Args:
        path (str | os.PathLike): The file to write; replaced as a whole.
        index (np.ndarray): (H, W) uint8 mask values: 0 is background, class c
            is c + 1, 255 is ignored.

    Raises:
        ValueError: `index` is not a two-dimensional uint8 array.
    """
    index = np.asarray(index)
    if index.ndim != 2 or index.dtype != np.uint8:
        raise ValueError(
            'index should be an (H, W) uint8 array, but got shape '
            f'{index.shape} of {index.dtype} for {path}'
        )
    image = Image.fromarray(index)
    image.putpalette(_full_colormap().tobytes())
    with atomic_write(path) as file:
        image.save(file, format='PNG')


def read_index_png(path: str | os.PathLike) -> np.ndarray:
    """Read the mask values of a palette or greyscale PNG.

    Args:
        path (str | os.PathLike): The file to read.

    Returns:
        np.ndarray: (H, W) uint8 mask values. The palette is not applied.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not an image, is damaged, or holds colours
            (RGB) in place of indices.
    """
    with open_image(path) as image:
        mode = image.mode
        if mode in INDEX_MODES:
            return np.array(image, dtype=np.uint8)
    raise ValueError(
        f'{path} holds {mode} pixels, but a mask should be a palette or '
        'greyscale PNG of class indices; turn its colours into indices and '
        'write them with oaa_mm.io.palette.write_index_png'
    )
