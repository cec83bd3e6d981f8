"""A folder of attention maps in the authors' format."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from .pages import Pair

__all__ = ['PngFolderReader']

_PNG_NAME = re.compile(r'(?P<image_id>.+)_(?P<class_index>\d+)\.png')


class PngFolderReader(Mapping):
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
        self._paths: dict[Pair, Path] = {}
        for path in sorted(Path(folder).glob('*.png')):
            name = _PNG_NAME.fullmatch(path.name)
            if name is None:
                raise ValueError(
                    f'{path}: attention maps are named '
                    '`{image_id}_{class}.png`, class being a number from 0'
                )
            pair = name['image_id'], int(name['class_index'])
            self._paths[pair] = path
        if not self._paths:
            raise FileNotFoundError(
                f'{folder}: no PNG files; expected attention maps named '
                '`{image_id}_{class}.png`'
            )

    def __getitem__(self, pair: Pair) -> np.ndarray:
        return _read_grey_png(self._paths[pair])

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Pair]:
        return iter(sorted(self._paths))


def _read_grey_png(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode != 'L':
                raise ValueError(
                    f'{path}: an attention map is an 8-bit greyscale PNG, '
                    f'but this one has mode {image.mode!r}'
                )
            return np.asarray(image)
    except (OSError, SyntaxError) as error:
        raise ValueError(f'{path}: not a readable PNG ({error})') from error
