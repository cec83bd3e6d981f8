"""Opening image files whose content may be anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

#: Formats of masks and attention maps, whose values have to be exact.
MAP_FORMATS = ('PNG',)
#: Some projects hand out JPEGs that are called `.png`.
SALIENCY_FORMATS = ('PNG', 'JPEG')
#: Formats of photographs. Pillow knows more and takes none by its suffix;
#: its reader of EPS, for one, starts Ghostscript.
PHOTO_FORMATS = ('JPEG', 'PNG', 'BMP', 'GIF', 'PPM', 'TIFF', 'WEBP')


@contextmanager
def open_image(
    path: str | os.PathLike, formats: tuple[str, ...] = MAP_FORMATS
) -> Iterator[Image.Image]:
    """Open an image; every way in which it is broken is one error.

    Decode it inside the block and check it outside: what the block raises
    counts as a fault of the file. Images of more than 179 million pixels are
    refused before any memory is taken for them.

    Args:
        path (str | os.PathLike): The file.
        formats (tuple[str, ...]): Pillow's names of the formats it may have,
            whatever its suffix says. Defaults to PNG alone.

    Yields:
        Image.Image: The image, not decoded yet.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It has another format, is damaged or too large.
    """
    try:
        with Image.open(path, formats=formats) as image:
            yield image
    except FileNotFoundError:
        raise FileNotFoundError(f'no such image file: {path}') from None
    except Exception as error:  # Pillow's readers raise nearly anything
        raise ValueError(
            f'{path}: not a readable image of format {", ".join(formats)} '
            f'({str(error) or type(error).__name__})'
        ) from error
