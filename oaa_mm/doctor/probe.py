"""Reading of files for the checks: everything is decoded to its end."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from oaa_mm.checks import check_choice, check_number
from oaa_mm.io.images import PHOTO_FORMATS
from oaa_mm.io.masks import INDEX_MODES, voc_colormap
from oaa_mm.io.progress import progress

#: What a file is read as: only masks and saliency maps tell their values.
KINDS = ('image', 'mask', 'saliency')

#: Pillow's modes of more than 8 bits a channel.
DEEP_MODES = ('I', 'F', 'I;16', 'I;16B', 'I;16L')

_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Probe:
    """What was seen of one file.

    Args:
        path (Path): The file.
        missing (bool): There is no such file; nothing else is known.
        error (str): Why it cannot be read; empty where it can.
        size (tuple[int, int]): Height and width in pixels, as shown (after
            the EXIF rotation, which OpenCV applies as well).
        mode (str): Pillow's mode, e.g. ``'RGB'``, ``'P'``, ``'L'``.
        digest (str): Hash of the file's bytes.
        rotated (bool): An EXIF tag asks for a rotation or mirroring.
        values (bytes): The different values of a mask or saliency map,
            ascending; empty for images and for masks that hold colours.
        voc_palette (bool): The colours of `values` are VOC's, or there is no
            palette.
    """

    path: Path
    missing: bool = False
    error: str = ''
    size: tuple[int, int] = (0, 0)
    mode: str = ''
    digest: str = ''
    rotated: bool = False
    values: bytes = b''
    voc_palette: bool = True

    @property
    def readable(self) -> bool:
        """Whether the file is there and was decoded."""
        return not self.missing and not self.error


def _values(image: Image.Image, kind: str) -> bytes:
    """The different 8-bit values, ascending."""
    if kind == 'image' or image.mode in DEEP_MODES:
        return b''
    if kind == 'saliency':
        image = image.convert('L')
    elif image.mode not in INDEX_MODES:
        return b''
    pixels = np.asarray(image, dtype=np.uint8)
    counts = np.bincount(pixels.ravel(), minlength=256)
    return bytes(np.flatnonzero(counts).tolist())


def _has_voc_palette(image: Image.Image, values: bytes) -> bool:
    if image.mode != 'P':
        return True
    # A palette may end early, after the last colour in use.
    colors = np.zeros((256, 3), dtype=np.uint8)
    given = np.array(image.getpalette('RGB'), dtype=np.uint8).reshape(-1, 3)
    colors[: len(given)] = given
    used = list(values)
    return bool((colors[used] == voc_colormap()[used]).all())


def _decode(path: Path, data: bytes, kind: str) -> Probe:
    with Image.open(io.BytesIO(data), formats=PHOTO_FORMATS) as image:
        image.verify()  # checksums; it leaves the image unusable
    with Image.open(io.BytesIO(data), formats=PHOTO_FORMATS) as image:
        image.load()
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
        size = image.size if orientation >= 5 else image.size[::-1]
        values = _values(image, kind)
        return Probe(
            path,
            size=size,
            mode=image.mode,
            digest=hashlib.blake2b(data, digest_size=16).hexdigest(),
            rotated=orientation > 1,
            values=values,
            voc_palette=kind != 'mask' or _has_voc_palette(image, values),
        )


def probe_file(path: Path, kind: str = 'image') -> Probe:
    """Read one file to its end; nothing is raised for a broken one.

    Args:
        path (Path): The file.
        kind (str): One of :data:`KINDS`. Defaults to ``'image'``.

    Returns:
        Probe: What was seen.

    Raises:
        ValueError: `kind` is unknown.
    """
    check_choice('kind', kind, KINDS)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Probe(path, missing=True)
    except OSError as error:
        return Probe(path, error=error.strerror or str(error))
    try:
        return _decode(path, data, kind)
    except UnidentifiedImageError:
        return Probe(path, error='not an image file')
    except Exception as error:  # Pillow's plugins raise nearly anything
        return Probe(path, error=f'{type(error).__name__}: {error}')


def probe_files(
    paths: Sequence[Path],
    kind: str,
    *,
    workers: int = 4,
    description: str | None = None,
) -> list[Probe]:
    """Read many files, several at a time, under a progress bar.

    Args:
        paths (Sequence[Path]): The files.
        kind (str): One of :data:`KINDS`.
        workers (int): Number of threads; Pillow decodes outside Python's
            lock, so threads are enough. Defaults to 4.
        description (str, optional): Title of the progress bar on the standard
            error; there is none without it.

    Returns:
        list[Probe]: In the order of `paths`.

    Raises:
        ValueError: `workers` is less than 1, or `kind` is unknown.
    """
    check_number('workers', workers, low=1, integer=True)
    with ThreadPoolExecutor(workers) as pool:
        probes = pool.map(partial(probe_file, kind=kind), paths)
        if description is not None:
            probes = progress(probes, description, len(paths))
        return list(probes)
