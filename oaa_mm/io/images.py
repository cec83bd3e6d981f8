"""The pixels of image files, whose content may be anything."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import mmcv
import numpy as np
from PIL import Image, ImageOps

from .files import atomic_write

#: Format of attention maps, whose values have to be exact.
MAP_FORMATS = ('PNG',)
#: Formats of masks, whose values have to be exact, too.
MASK_FORMATS = ('PNG', 'TIFF', 'BMP')
#: Some projects hand out JPEGs that are called `.png`.
SALIENCY_FORMATS = ('PNG', 'JPEG', 'TIFF', 'BMP')
#: Formats of photographs. Pillow knows more and takes none by its suffix;
#: its reader of EPS, for one, starts Ghostscript.
PHOTO_FORMATS = ('JPEG', 'PNG', 'BMP', 'GIF', 'PPM', 'TIFF', 'WEBP')

#: Channels of a grey JPEG that was saved in colour may differ by that much.
_GREY_TOLERANCE = 8
#: Below it, a 16-bit image is nearly black: a sixteenth of its range.
_DARK = 4096


@contextmanager
def open_image(
    path: str | os.PathLike,
    formats: tuple[str, ...] = MAP_FORMATS,
    content: bytes | None = None,
) -> Iterator[Image.Image]:
    """Open an image; every way in which it is broken is one error.

    Decode it inside the block and check it outside: errors of the block count
    as faults of the file. Images of more than 179 million pixels are refused
    before any memory is taken for them.

    Args:
        path (str | os.PathLike): The file.
        formats (tuple[str, ...]): Pillow's names of the formats it may have,
            whatever its suffix says. Defaults to PNG alone.
        content (bytes | None): Of the file, where it is read already.
            Defaults to None.

    Yields:
        Image.Image: The image, not decoded yet.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It has another format, is damaged or too large.
    """
    source = os.fspath(path) if content is None else io.BytesIO(content)
    try:
        with Image.open(source, formats=formats) as image:
            yield image
    except FileNotFoundError:
        raise FileNotFoundError(f'no such image file: {path}') from None
    except Exception as error:  # Pillow's readers raise nearly anything
        reason = str(error).partition(repr(source))[0].strip(': ')
        raise ValueError(
            f'{path}: not a readable image of format {", ".join(formats)} '
            f'({reason or type(error).__name__}); save it again as one'
        ) from error


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Read an image exactly as LoadImageFromFile does in a training.

    The EXIF orientation is applied; greyscale, palettes, transparency, CMYK,
    16-bit and 1-bit images become 8-bit colours.

    Args:
        path (str | os.PathLike): The file, of one of :data:`PHOTO_FORMATS`.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, no image or too large.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f'no such image file: {path}') from None
    except OSError as error:
        raise ValueError(f'{path}: cannot be read ({error})') from error
    with open_image(path, PHOTO_FORMATS, content):
        pass  # its header promises an image of a possible size
    try:
        image = mmcv.imfrombytes(content, flag='color', channel_order='rgb')
    except cv2.error:
        image = None
    if image is None or image.dtype != np.uint8:
        raise ValueError(
            f'{path}: OpenCV, which reads images in a training, cannot decode '
            'it; save it as an 8-bit PNG or JPEG'
        )
    return image


def pillow_to_bgr(image: Image.Image) -> np.ndarray:
    """A PIL image as OpenCV reads its file, turned as its EXIF data say.

    Args:
        image (Image.Image): An image of 8 bits a channel.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.

    Raises:
        ValueError: It has more bits, or its file is damaged.
    """
    if image.mode.startswith(('I', 'F')):
        raise ValueError(
            f'a PIL image should have 8 bits a channel, but got mode '
            f'{image.mode}; convert it'
        )
    try:
        rgb = np.asarray(ImageOps.exif_transpose(image).convert('RGB'))
    except OSError as error:
        raise ValueError(f'{image} cannot be read ({error})') from error
    return np.ascontiguousarray(rgb[..., ::-1])


def check_extent(path: str | os.PathLike, size: tuple[int, int]) -> None:
    """Refuse an image whose height or width is one pixel.

    Args:
        path (str | os.PathLike): Its file, for the message.
        size (tuple[int, int]): Height and width in pixels.

    Raises:
        ValueError: A flip or scale of it could not be told.
    """
    if min(size) < 2:
        raise ValueError(
            f'{path}: {size[1]}x{size[0]} pixels, but an image needs at least '
            '2 in both directions'
        )


def dark_maximum(path: str | os.PathLike) -> int:
    """The greatest value of a 16-bit image whose values are all small.

    Args:
        path (str | os.PathLike): A file that :func:`read_image` reads, as
            nearly black where it uses less than a sixteenth of its range.

    Returns:
        int: 1 to 4095; 0 for any other image.
    """
    image = cv2.imread(os.fspath(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16:
        return 0
    maximum = int(image.reshape(*image.shape[:2], -1)[..., :3].max())
    return maximum if maximum < _DARK else 0


def read_grey(path: str | os.PathLike) -> np.ndarray:
    """Read a saliency map.

    Args:
        path (str | os.PathLike): A greyscale image of 1, 8 or 16 bits, with
            or without transparency, a palette of greys, or an image in
            colours that are all grey.

    Returns:
        np.ndarray: (H, W) uint8, 0..255; 16 bits are scaled to 8.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, shows colours, or holds values that
            are no integers of 8 or 16 bits.
    """
    with open_image(path, SALIENCY_FORMATS) as image:
        deep = image.mode.startswith(('I', 'F'))
        values = np.array(image if deep else image.convert('RGB'))
    if not deep:
        spread = int(np.ptp(values, axis=2).max(initial=0))
        if spread > _GREY_TOLERANCE:
            raise ValueError(
                f'{path} shows colours, but a saliency map is greyscale; '
                'convert it, or is this the folder of the images?'
            )
        values = values[..., 1]
    else:
        low, high = values.min(initial=0), values.max(initial=0)
        if not 0 <= low <= high < 2**16 or (values % 1).any():
            raise ValueError(
                f'{path} holds values from {low} to {high}, but a saliency '
                'map holds integers of 8 or 16 bits; save it with 0 to 255'
            )
        if high > 255:
            values = values // 257
    return values.astype(np.uint8)


def write_image(
    path: str | os.PathLike, image: np.ndarray, **options: int
) -> None:
    """Write an image atomically, as JPEG or PNG by its suffix.

    Args:
        path (str | os.PathLike): The file, ``.jpg`` or ``.png``.
        image (np.ndarray): (H, W) or (H, W, 3) RGB, uint8.
        **options (int): Of Pillow's writer, such as `quality`.
    """
    kind = 'JPEG' if Path(path).suffix == '.jpg' else 'PNG'
    with atomic_write(path) as file:
        Image.fromarray(image).save(file, format=kind, **options)
