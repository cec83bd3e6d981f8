"""A folder of attention maps in the authors' format."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from oaa_mm.io import check_image_id
from oaa_mm.io.images import open_image

from .by_image import MapsByImage, Pair

_PNG_NAME = re.compile(r'(?P<image_id>.+)_(?P<class_index>[0-9]{1,9})\.png')


class PngFolderReader(MapsByImage, Mapping):
    """Read-only access to ``{image_id}_{class}.png``, map by map.

    Args:
        folder (str | os.PathLike): Class indices are 0-based, values 0..255.
            Files that are not PNG are left alone.

    Raises:
        FileNotFoundError: The folder is absent or holds no PNG.
        ValueError: A file's name does not fit; it is named. Asking for a map
            raises it where the content does not fit.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.metadata = {}
        self._paths: dict[Pair, Path] = {}
        for path in sorted(Path(folder).rglob('*.png')):
            name = _PNG_NAME.fullmatch(path.relative_to(folder).as_posix())
            if name is None:
                raise ValueError(
                    f'{path}: attention maps are named '
                    '`{image_id}_{class}.png`, class being a number from 0'
                )
            self._add(name['image_id'], int(name['class_index']), path)
        if not self._paths:
            raise FileNotFoundError(
                f'{folder}: no PNG files; expected attention maps named '
                '`{image_id}_{class}.png`'
            )

    def _add(self, image_id: str, class_index: int, path: Path) -> None:
        try:
            pair = check_image_id(image_id), class_index
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        if pair in self._paths:  # a_1.png and a_01.png
            raise ValueError(
                f'{self._paths[pair]} and {path} are maps of the same class'
            )
        self._paths[pair] = path

    def __getitem__(self, pair: Pair) -> np.ndarray:
        return _read_grey_png(self._paths[pair])

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Pair]:
        return iter(sorted(self._paths))


def _read_grey_png(path: Path) -> np.ndarray:
    with open_image(path) as image:
        mode = image.mode
        if mode == 'L':
            return np.asarray(image)
    raise ValueError(
        f'{path}: an attention map is an 8-bit greyscale PNG, but this one '
        f'has mode {mode!r}'
    )
