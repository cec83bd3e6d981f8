"""A folder of attention maps in the authors' format."""

import os
import re
from pathlib import Path

import numpy as np

from oaa_mm.io import check_image_id
from oaa_mm.io.images import open_image

from .by_image import MapsByImage, Pair

_PNG_NAME = re.compile(r'(?P<image_id>.+)_(?P<class_index>[0-9]{1,9})\.png')


class PngFolderReader(MapsByImage):
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
        self.data: dict[Pair, Path] = {}
        for path in sorted(Path(folder).rglob('*.png')):
            name = _PNG_NAME.fullmatch(path.relative_to(folder).as_posix())
            if name is None:
                raise ValueError(
                    f'{path}: attention maps are named '
                    '`{image_id}_{class}.png`, class being a number from 0'
                )
            try:
                image_id = check_image_id(name['image_id'])
            except ValueError as error:
                raise ValueError(f'{path}: {error}') from error
            pair = image_id, int(name['class_index'])
            if pair in self.data:  # a_1.png and a_01.png
                raise ValueError(
                    f'{self.data[pair]} and {path} are of one class; keep one'
                )
            self.data[pair] = path
        if not self.data:
            raise FileNotFoundError(
                f'{folder}: no PNG files; expected attention maps named '
                '`{image_id}_{class}.png`'
            )

    def __getitem__(self, pair: Pair) -> np.ndarray:
        path = self.data[pair]
        with open_image(path) as image:
            if image.mode == 'L':
                return np.asarray(image)
        raise ValueError(
            f'{path}: an attention map is an 8-bit greyscale PNG, but this '
            f'one has mode {image.mode!r}'
        )
