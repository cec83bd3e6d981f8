"""Facts of single files, each of which is decoded to its end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from oaa_mm.datasets.files import EXIF_ORIENTATION, inspect_image
from oaa_mm.io import read_grey, read_image, read_mask
from oaa_mm.io.fingerprint import fingerprint
from oaa_mm.io.images import PHOTO_FORMATS, open_image
from oaa_mm.io.masks import mask_values, voc_colormap
from oaa_mm.io.progress import map_in_threads

#: The kinds of files, and their names in messages.
NOUNS = {'images': 'images', 'masks': 'masks', 'saliency': 'saliency maps'}


@dataclass(frozen=True)
class FileFacts:
    """Facts of one file.

    Args:
        path (str): The file, or where it was looked for.
        missing (bool): There is no such file; nothing else is known.
        error (str): Why the stages that read it cannot use it; empty where
            they can.
        size (tuple[int, int]): Height and width in pixels, as shown (after
            the EXIF rotation).
        mode (str): Pillow's mode, e.g. ``'RGB'``, ``'P'``, ``'L'``.
        digest (str): Hash of the file's bytes.
        rotated (bool): An EXIF tag asks for a rotation or mirroring.
        dark (int): Of images, see :func:`oaa_mm.io.images.dark_maximum`.
        values (tuple[int, ...]): The different values of a mask or saliency
            map, ascending; empty for images.
        voc_palette (bool): The colours of a mask's values are VOC's, or there
            is no palette.
    """

    path: str
    missing: bool = False
    error: str = ''
    size: tuple[int, int] = (0, 0)
    mode: str = ''
    digest: str = ''
    rotated: bool = False
    dark: int = 0
    values: tuple[int, ...] = ()
    voc_palette: bool = True

    @property
    def usable(self) -> bool:
        """Whether the file is there and the stages can use it."""
        return not self.missing and not self.error


def read_facts(
    files: Mapping[str, FileFacts],
    kind: str,
    num_classes: int | None = None,
    workers: int = 4,
    *,
    binary_masks: bool = False,
) -> dict[str, FileFacts]:
    """Read files as the stages read them, several at a time.

    Args:
        files (Mapping[str, FileFacts]): Image id -> where its file is; those
            that are missing or cannot be used are not read.
        kind (str): ``'images'``, ``'masks'`` or ``'saliency'``.
        num_classes (int | None): The number of foreground classes that masks
            may hold. Defaults to None: any.
        workers (int): Number of threads. Defaults to 4.
        binary_masks (bool): Whether 255 marks the only class in masks.
            Defaults to False.

    Returns:
        dict[str, FileFacts]: Image id -> facts of its file, in the order of
        `files`; nothing is raised for a broken file.

    Raises:
        ValueError: `workers` is less than 1.
    """
    read_pixels = {
        'images': read_image,
        'masks': partial(
            read_mask, num_classes=num_classes, binary=binary_masks
        ),
        'saliency': read_grey,
    }[kind]
    read = partial(_read_one, kind=kind, read_pixels=read_pixels)
    places = list(files.values())
    found = map_in_threads(read, places, kind.capitalize(), workers)
    return dict(zip(files, found, strict=True))


def _read_one(
    file: FileFacts, kind: str, read_pixels: Callable[[str], np.ndarray]
) -> FileFacts:
    if not file.usable:
        return file
    path = file.path
    try:
        # First as the stages read it, so that a fault has their words.
        dark = inspect_image(path)[1] if kind == 'images' else 0
        pixels = read_pixels(path)
        with open_image(path, PHOTO_FORMATS) as image:
            image.verify()  # checksums; it leaves the image unusable
        with open_image(path, PHOTO_FORMATS) as image:
            mode = image.mode
            rotated = image.getexif().get(EXIF_ORIENTATION, 1) > 1
            colors = image.getpalette('RGB') if mode == 'P' else None
    except FileNotFoundError:
        return replace(file, missing=True)
    except (OSError, ValueError) as error:
        return replace(file, error=str(error))
    values = () if kind == 'images' else tuple(mask_values(pixels))
    return FileFacts(
        path,
        size=pixels.shape[:2],
        mode=mode,
        digest=fingerprint(path)['sha256'],
        rotated=rotated,
        dark=dark,
        values=values,
        voc_palette=kind != 'masks' or _has_voc_palette(colors, values),
    )


def _has_voc_palette(colors: list[int] | None, values: Sequence[int]) -> bool:
    if colors is None:
        return True
    # A palette may end early, after the last colour in use.
    given = np.array(colors, np.uint8).reshape(-1, 3)
    used = [value for value in values if value < len(given)]
    return bool((given[used] == voc_colormap()[used]).all())
