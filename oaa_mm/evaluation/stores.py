"""The list of images that are compared."""

from __future__ import annotations

import os
from pathlib import Path

from oaa_mm.checks import name_some
from oaa_mm.io import check_image_id


def read_image_ids(path: str | os.PathLike) -> tuple[str, ...]:
    """Image ids of a list file: the first word of each line that has one.

    Args:
        path (str | os.PathLike): A list of ids, one per line; what follows an
            id (class indices, as in ``train_cls.txt``) is not read.

    Returns:
        tuple[str, ...]: The ids in the file's order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The list is no text, empty, names an image twice, or
            what could not be the stem of a file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no such image list: {path}')
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8 text: {error}') from error
    # Lists of other projects write `/JPEGImages/ID.jpg /Segmentation/ID.png`.
    try:
        ids = [
            check_image_id(_stem(line.split()[0]))
            for line in lines
            if line.strip()
        ]
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error
    if not ids:
        raise ValueError(f'{path}: the image list is empty')
    seen: set[str] = set()
    twice = sorted({name for name in ids if name in seen or seen.add(name)})
    if twice:
        raise ValueError(
            f'{path} names images more than once: {name_some(twice)}; they '
            'would count twice'
        )
    return tuple(ids)


def _stem(word: str) -> str:
    path = Path(word)
    if path.suffix.lower() in {'.jpg', '.jpeg', '.png'}:
        return path.stem
    return path.name
