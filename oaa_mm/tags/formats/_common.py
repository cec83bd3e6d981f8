"""A helper of the readers of folders."""

import os

from oaa_mm.io import ImageFolder


def list_folder(path: str | os.PathLike, suffix: str) -> dict[str, str]:
    """Image id -> file, of the files in `path` and below that end so."""
    folder = ImageFolder(path, suffix, strict=True)
    files = {image_id: folder.find(image_id) for image_id in folder.all_ids()}
    if not files:
        raise ValueError(f'folder {path} holds no {suffix} file')
    return files
