"""Telling whether an input is the same as before, by its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

#: Bytes of a folder that are read for its fingerprint: seconds, not minutes.
FOLDER_BUDGET = 1 << 30


def fingerprint(
    path: str | os.PathLike,
    *,
    files: Iterable[str | os.PathLike] | None = None,
    content: bool = True,
) -> dict[str, Any]:
    """Identify a file or a folder by its content.

    A file is hashed whole. A folder's hash covers names, sizes and contents
    of its files in order of their names; where it holds more than
    `FOLDER_BUDGET` bytes, only the first ``FOLDER_BUDGET / count`` bytes of
    each file are read, so that the time is bounded and the hash still the
    same every time.

    Args:
        path (str | os.PathLike): A file or folder.
        files (Iterable[str | os.PathLike] | None): The files of the folder
            that count, relative to it. Defaults to all, subfolders too.
        content (bool): False covers the names and sizes of a folder alone.

    Returns:
        dict[str, Any]: ``path``, ``sha256``, ``count``, ``bytes`` and, of a
        folder, ``bytes_read``.

    Raises:
        FileNotFoundError: `path` or one of `files` does not exist.
    """
    path = Path(path)
    if path.is_file():
        size = path.stat().st_size
        return {
            'path': str(path),
            'sha256': _file_hash(path, size),
            'count': 1,
            'bytes': size,
        }
    if not path.is_dir():
        raise FileNotFoundError(f'no such file or folder: {path}')
    if files is None:
        found = (file for file in path.rglob('*') if file.is_file())
        files = (file.relative_to(path) for file in found)
    names = sorted(map(str, files))
    sizes = [(path / name).stat().st_size for name in names]
    cap = FOLDER_BUDGET if content else 0  # of each file
    if sum(sizes) > cap:
        cap //= len(names)
    digest = hashlib.sha256()
    for name, size in zip(names, sizes, strict=True):
        part = _file_hash(path / name, cap) if content else ''
        digest.update(f'{Path(name).as_posix()}\0{size}\0{part}\n'.encode())
    return {
        'path': str(path),
        'sha256': digest.hexdigest(),
        'count': len(names),
        'bytes': sum(sizes),
        'bytes_read': sum(min(size, cap) for size in sizes),
    }


def fingerprint_files(
    paths: Sequence[str | os.PathLike], *, content: bool = True
) -> dict[str, Any]:
    """Identify files by the deepest folder that holds all of them.

    Args:
        paths (Sequence[str | os.PathLike]): The files, at least one.
        content (bool): False covers names and sizes alone.

    Returns:
        dict[str, Any]: See :func:`fingerprint`.

    Raises:
        FileNotFoundError: A file does not exist.
    """
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    names = [os.path.relpath(path, folder) for path in paths]
    return fingerprint(folder, files=names, content=content)


def fingerprint_names(
    path: str | os.PathLike, names: Iterable[str]
) -> dict[str, Any]:
    """Identify a list by its entries, in their order.

    Args:
        path (str | os.PathLike): Where they come from.
        names (Iterable[str]): The entries.

    Returns:
        dict[str, Any]: ``path``, ``sha256`` and ``count``.
    """
    names = list(names)
    digest = hashlib.sha256('\n'.join(names).encode()).hexdigest()
    return {'path': str(path), 'sha256': digest, 'count': len(names)}


def _file_hash(path: Path, limit: int) -> str:
    """Hash of the first `limit` bytes of a file."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(min(limit, 1 << 20)):
            digest.update(block)
            limit -= len(block)
    return digest.hexdigest()
