"""Looking at image files before a night of training, not in the middle."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mmengine.logging import print_log

from oaa_mm.checks import list_names
from oaa_mm.io.images import (
    PHOTO_FORMATS,
    check_extent,
    dark_maximum,
    open_image,
    read_image,
)
from oaa_mm.io.progress import map_in_threads

from .transforms.frame_size import resized_by_all

_ENDINGS = {'JPEG': b'\xff\xd9', 'PNG': b'IEND\xaeB`\x82'}
EXIF_ORIENTATION = 0x0112


def inspect_image(
    path: str | os.PathLike, *, decode: bool = False
) -> tuple[tuple[int, int], int]:
    """Look at an image file that has to be readable to its end.

    Only the header and the last bytes are read; 16-bit files, and those
    without their format's end marker, are decoded.

    Args:
        path (str | os.PathLike): A JPEG, PNG or another of
            :data:`~oaa_mm.io.images.PHOTO_FORMATS`.
        decode (bool): Whether to decode all of it, too, as a training does.
            Defaults to False.

    Returns:
        tuple[tuple[int, int], int]: Height and width in pixels, as the image
        is shown (EXIF orientation applied, which OpenCV does when it reads);
        and its :func:`oaa_mm.io.images.dark_maximum`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no image, is truncated, or is one pixel high
            or wide.
    """
    path = Path(path)
    with open_image(path, PHOTO_FORMATS) as image:
        width, height = image.size
        # The tile tells 16 bits before the image is decoded.
        mode, deep = image.mode, ';16' in str(image.tile)
        turned = image.getexif().get(EXIF_ORIENTATION, 1) >= 5
        if turned and image.format == 'JPEG':
            width, height = height, width
        if not _ends_properly(path, image.format):
            image.load()
    # Which other formats OpenCV turns depends on its version, and Pillow opens
    # more of the last two modes than a training can.
    if decode or (turned and image.format != 'JPEG') or mode in ('F', 'I'):
        height, width = read_image(path).shape[:2]
    check_extent(path, (height, width))
    dark = dark_maximum(path) if deep else 0
    return (height, width), dark


def dark_images(dark: Mapping[str, int]) -> tuple[str, list[str]]:
    """Describe images that a training reads as nearly black.

    Args:
        dark (Mapping[str, int]): File -> greatest value, 1 to 4095.

    Returns:
        tuple[str, list[str]]: A message and the files, for
        :func:`oaa_mm.checks.list_names`.
    """
    # One factor for all, or else their brightness would not compare.
    factor = 2 ** (16 - max(dark.values(), default=0).bit_length())
    text = (
        '{n} images have 16 bits, but hold only small values (as cameras of '
        '12 bits write them), which a training reads as nearly black{names}; '
        f'multiply the values of a copy of them by {factor}: python -c '
        '"import cv2, sys; [cv2.imwrite(p, cv2.imread(p, -1) * '
        f'{factor}) for p in sys.argv[1:]]" FILES'
    )
    return text, [f'{p} (at most {n} of 65535)' for p, n in dark.items()]


def inspect_images(
    paths: Mapping[str, str], *, decode: bool = False
) -> dict[str, tuple[int, int]]:
    """Height and width of each image; refuse absent and broken ones.

    Images that a training reads as nearly black are named in a warning.

    Args:
        paths (Mapping[str, str]): Image id -> file.
        decode (bool): See :func:`inspect_image`. Defaults to False.

    Returns:
        dict[str, tuple[int, int]]: Image id -> height and width.

    Raises:
        ValueError: Images cannot be used; the first of them are named.
    """

    def size_or_error(
        path: str,
    ) -> tuple[tuple[int, int], int] | Exception:
        """Return an error, so that the other images are looked at, too."""
        try:
            return inspect_image(path, decode=decode)
        except (FileNotFoundError, ValueError) as error:
            return error

    files = list(paths.values())
    found = list(map_in_threads(size_or_error, files, 'Images'))
    broken = [str(r) for r in found if isinstance(r, Exception)]
    if broken:
        raise ValueError(list_names(unusable(len(paths)), broken))
    pairs = zip(files, found, strict=True)
    if dark := {path: value for path, (_, value) in pairs if value}:
        text = list_names(*dark_images(dark))
        print_log(text, 'current', logging.WARNING)
    return {i: size for i, (size, _) in zip(paths, found, strict=True)}


def faint_saliency(highest: Mapping[str, int]) -> tuple[str, str, list[str]]:
    """Describe saliency maps whose values are all 0 and 1.

    If all maps are like that, their values are 0 and 1 in place of 0 and 255.
    Among others such a map may as well be of an image in which a network has
    found next to nothing.

    Args:
        highest (Mapping[str, int]): File -> greatest value of the map.

    Returns:
        tuple[str, str, list[str]]: ``'error'`` or ``'warning'``, and a
        message and the files for :func:`oaa_mm.checks.list_names`.
    """
    faint = [path for path, value in highest.items() if value == 1]
    if max(highest.values(), default=0) <= 1:
        text = (
            'no saliency map of the listed images has a value above 1 ({n} '
            'hold only values of 0 and 1), but saliency ranges from 0 to '
            '255{names}; if they are masks, multiply their values by 255; if '
            'nothing is salient in these images, list more'
        )
        return 'error', text, faint
    text = (
        '{n} saliency maps hold only values of 0 and 1, so that nothing in '
        'them is salient{names}; if they are masks, multiply their values '
        'by 255'
    )
    return 'warning', text, faint


def unusable(total: int, kind: str = 'listed images') -> str:
    """The message where files are broken, for ``list_names``."""
    return (
        f'{{n}} of {total} {kind} cannot be used{{names}}. Replace these '
        'files, or take the images off the list'
    )


#: A path, and a height and width in pixels.
SizedFile = tuple[str, tuple[int, int]]


def other_size(kind: str, file: SizedFile, image: SizedFile) -> str:
    """The message for a file whose size is not that of its image.

    Args:
        kind (str): The kind of the file, such as ``'masks'``.
        file (SizedFile): The file.
        image (SizedFile): Its image.

    Returns:
        str: The message.
    """
    (path, size), (shown, wanted) = file, image
    return (
        f'{path} is {size[1]}x{size[0]} pixels, but its image {shown} is '
        f'{wanted[1]}x{wanted[0]}; resize the {kind} to the images'
    )


def image_sizes(
    paths: Mapping[str, str], transforms: Iterable[Callable]
) -> dict[str, dict]:
    """Sizes of images, for the entries of a data set.

    Args:
        paths (Mapping[str, str]): Image id -> file.
        transforms (Iterable[Callable]): The pipeline.

    Returns:
        dict[str, dict]: Image id -> `height` and `width` of the file, and
        `input_size`, the height and width after the resizes of the pipeline.

    Raises:
        ValueError: See :func:`inspect_images`.
    """
    sizes = inspect_images(paths)
    after = {s: resized_by_all(transforms, s) for s in set(sizes.values())}
    return {
        i: {'height': s[0], 'width': s[1], 'input_size': after[s]}
        for i, s in sizes.items()
    }


def _ends_properly(path: Path, image_format: str | None) -> bool:
    ending = _ENDINGS.get(image_format or '')
    if ending is None:
        return False
    with open(path, 'rb') as file:
        file.seek(-len(ending), os.SEEK_END)
        return file.read() == ending
