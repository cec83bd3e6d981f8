"""Looking at image files before a night of training, not in the middle."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from oaa_mm.checks import name_some
from oaa_mm.io.images import PHOTO_FORMATS, open_image, read_image

from .transforms.frame_size import resized_by_all

_ENDINGS = {'JPEG': b'\xff\xd9', 'PNG': b'IEND\xaeB`\x82'}
_EXIF_ORIENTATION = 0x0112


def inspect_image(
    path: str | os.PathLike, *, decode: bool = False
) -> tuple[int, int]:
    """Height and width of an image file that can be read to its end.

    Only the header and the last bytes are read; a file without its format's
    end marker is decoded to find out whether it is truncated.

    Args:
        path (str | os.PathLike): A JPEG, PNG or another of
            :data:`~oaa_mm.io.images.PHOTO_FORMATS`.
        decode (bool): Whether to decode all of it, too, as a training does.
            Defaults to False.

    Returns:
        tuple[int, int]: Height and width in pixels, as the image is shown
        (EXIF orientation applied, which OpenCV does when it reads).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no image, is truncated, or is one pixel high
            or wide.
    """
    path = Path(path)
    with open_image(path, PHOTO_FORMATS) as image:
        width, height = image.size
        if image.getexif().get(_EXIF_ORIENTATION, 1) >= 5:
            width, height = height, width
        mode = image.mode
        if not _ends_properly(path, image.format):
            image.load()
    if decode or mode in ('F', 'I'):
        read_image(path)  # Pillow opens more of these than a training can
    if min(height, width) < 2:
        raise ValueError(
            f'{path}: {width}x{height} pixels, an image needs at least 2 in '
            'both directions'
        )
    return height, width


def inspect_images(
    paths: Mapping[str, str], *, decode: bool = False
) -> dict[str, tuple[int, int]]:
    """Height and width of each image; refuse absent and broken ones.

    Args:
        paths (Mapping[str, str]): Image id -> file.
        decode (bool): See :func:`inspect_image`. Defaults to False.

    Returns:
        dict[str, tuple[int, int]]: Image id -> height and width, see
        :func:`inspect_image`.

    Raises:
        ValueError: Images cannot be used; the first of them are named.
    """

    def size_or_error(path: str) -> tuple[int, int] | Exception:
        """Let the other images be looked at, too."""
        try:
            return inspect_image(path, decode=decode)
        except (FileNotFoundError, ValueError) as error:
            return error

    # Threads, because the time goes into opening files.
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(size_or_error, paths.values()))
    broken = [str(r) for r in found if isinstance(r, Exception)]
    if broken:
        raise ValueError(
            f'{len(broken)} of {len(paths)} listed images cannot be used: '
            f'{name_some(broken)}'
        )
    return dict(zip(paths, found, strict=True))


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
