"""Masks: images of class indices, as PASCAL VOC and mmseg keep them."""

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
from PIL import Image

from oaa_mm.checks import check_number, name_some

from .files import atomic_write
from .images import MASK_FORMATS, open_image

#: The mask value of pixels that count nowhere.
IGNORE_INDEX = 255

#: Pillow's modes whose pixels are indices: palette, 8-bit grey, 1-bit, deep.
INDEX_MODES = ('P', 'L', '1', 'I', 'I;16', 'I;16B', 'I;16L', 'F')

_BINARY_HINT = (
    'If 255 marks class 1 here, as in most sets of a single class, say so: '
    '`binary_masks=True` in a data set, --binary-masks on the command line, '
    '`binary=True` in Python'
)


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


def class_values(
    label_map: Mapping[int, int] | None, *, binary: bool = False
) -> dict[int, int] | None:
    """The new mask values where a data set chooses classes.

    Args:
        label_map (Mapping[int, int] | None): Class index -> new index, as
            mmseg's data sets know it; None where all classes stay.
        binary (bool): Whether 255 marks the only class. Defaults to False.

    Returns:
        dict[int, int] | None: Mask value -> new value, the `label_map` of
        mmseg's LoadAnnotations; None where all values stay.
    """
    if binary:
        return {0: 0, 1: 1, IGNORE_INDEX: 1}
    if label_map is None:
        return None
    chosen = label_map.items()
    return {0: 0} | {o + 1: min(n + 1, IGNORE_INDEX) for o, n in chosen}


def write_mask(path: str | os.PathLike, mask: np.ndarray) -> None:
    """Write mask values as a palette PNG in VOC's colours.

    Args:
        path (str | os.PathLike): The file to write; replaced as a whole.
        mask (np.ndarray): (H, W) uint8 mask values: 0 is background, class c
            is c + 1, 255 is ignored.

    Raises:
        ValueError: `mask` is not a two-dimensional uint8 array.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise ValueError(
            'a mask should be an (H, W) uint8 array, but got shape '
            f'{mask.shape} of {mask.dtype} for {path}'
        )
    image = Image.fromarray(mask)
    image.putpalette(_full_colormap().tobytes())
    with atomic_write(path) as file:
        image.save(file, format='PNG')


def read_mask(
    path: str | os.PathLike,
    num_classes: int | None = None,
    *,
    binary: bool = False,
) -> np.ndarray:
    """Read the class indices of a mask; a palette is not applied.

    Args:
        path (str | os.PathLike): A palette, greyscale or 1-bit image. Those
            of 16 bits and more are read at full depth, never wrapped.
        num_classes (int | None): The number C of foreground classes, to check
            the values by. Defaults to None: any value is fine.
        binary (bool): Read 255 as class 1; other values than 0, 1 and 255 are
            refused then. Defaults to False.

    Returns:
        np.ndarray: (H, W) uint8: 0 is background, class c is c + 1, 255 is
        ignored.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not an image, is damaged, holds colours in
            place of indices or a value that is no class; or there is a single
            class, which only 255 can mean.
    """
    with open_image(path, MASK_FORMATS) as image:
        mode = image.mode
        mask = np.array(image) if mode in INDEX_MODES else None
    if mask is None:
        raise ValueError(
            f'{path} holds {mode} pixels, but a mask should be a palette or '
            'greyscale PNG of class indices; turn its colours into indices '
            'and write them with oaa_mm.io.write_mask'
        )
    check_mask_values(
        mask_values(mask), num_classes, binary=binary, where=str(path)
    )
    mask = mask.astype(np.uint8)
    if binary:
        mask[mask == IGNORE_INDEX] = 1
    return mask


def finished_mask(
    path: str | os.PathLike, size: tuple[int, int]
) -> np.ndarray | None:
    """The mask that an earlier run has finished.

    Args:
        path (str | os.PathLike): Its file.
        size (tuple[int, int]): Height and width that it should have.

    Returns:
        np.ndarray | None: See :func:`read_mask`; None where there is no such
        file, or it is damaged or of another size.
    """
    try:
        mask = read_mask(path)
    except (FileNotFoundError, ValueError):
        return None
    return mask if mask.shape == tuple(size) else None


def mask_values(mask: np.ndarray) -> list[int] | list[float]:
    """The different values of a mask of any type, ascending."""
    if mask.dtype in (np.uint8, np.bool_):
        counts = np.bincount(mask.ravel(), minlength=256)
        return np.flatnonzero(counts).tolist()
    return np.unique(mask).tolist()


def check_mask_values(
    values: Iterable[float],
    num_classes: int | None,
    *,
    binary: bool = False,
    where: str,
) -> None:
    """Refuse mask values that are no class.

    Args:
        values (Iterable[float]): The different values of a mask, ascending.
        num_classes (int | None): See :func:`read_mask`.
        binary (bool): See :func:`read_mask`.
        where (str): The mask's file, for the message.

    Raises:
        ValueError: A value is neither background, nor a class, nor 255.
    """
    values = list(values)
    if binary:
        count, allowed = 1, '0 (background), 1 and 255 (class 1)'
    else:
        count = IGNORE_INDEX - 1 if num_classes is None else num_classes
        classes = '1 (the class)' if count == 1 else f'1 to {count} (classes)'
        allowed = f'0 (background), {classes} and 255 (ignored)'
    known = {*range(min(count + 1, IGNORE_INDEX)), IGNORE_INDEX}
    if wrong := [value for value in values if value not in known]:
        plural = 's' if len(wrong) > 1 else ''
        shown = name_some([f'{value:g}' for value in wrong])
        raise ValueError(
            f'{where}: the mask holds the value{plural} {shown}, but a mask '
            f'may hold {allowed}. Check the number of classes, or map the '
            'values of the masks to these'
        )
    if not binary and count == 1 and values == [0, IGNORE_INDEX]:
        raise ValueError(
            f'{where}: the mask holds only 0 and 255, so no pixel of it '
            f'has a class: 255 marks ignored pixels. {_BINARY_HINT}'
        )


def require_class(any_class: bool, where: str | os.PathLike) -> None:
    """Refuse a set of masks in which no pixel has a class.

    Args:
        any_class (bool): Whether any pixel of the masks has a class.
        where (str | os.PathLike): The masks, for the message.

    Raises:
        ValueError: There are only background and ignored pixels.
    """
    if not any_class:
        raise ValueError(
            f'{where}: no pixel of any mask has a class, all are background '
            f'or ignored. {_BINARY_HINT}'
        )


def classes_in(mask: np.ndarray) -> tuple[int, ...]:
    """The classes that occur in a mask.

    Args:
        mask (np.ndarray): (H, W) uint8: class c is c + 1.

    Returns:
        tuple[int, ...]: 0-based class indices, ascending; without background
        and ignored pixels.
    """
    values = mask_values(mask)
    return tuple(v - 1 for v in values if v not in (0, IGNORE_INDEX))
