"""Telling whether an input is the same as before, by its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

#: Bytes of a folder that are read for its fingerprint: seconds, not minutes.
FOLDER_BUDGET = 1 << 30


def fingerprint(
    path: str | os.PathLike,
    *,
    files: Iterable[str | os.PathLike] | None = None,
    content: bool = True,
    budget: int = FOLDER_BUDGET,
) -> dict[str, Any]:
    """Identify a file or a folder by its content.

    A file is hashed whole. A folder's hash covers names, sizes and contents
    of its files in order of their names; where it holds more than `budget`
    bytes, only the first ``budget / count`` bytes of each file are read, so
    that the time is bounded and the hash still the same every time.

    Args:
        path (str | os.PathLike): A file or folder.
        files (Iterable[str | os.PathLike] | None): The files of the folder
            that count, relative to it. Defaults to all, subfolders too.
        content (bool): False covers the names and sizes of a folder alone.
        budget (int): Bytes to read of a folder.

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
            'sha256': file_hash(path),
            'count': 1,
            'bytes': size,
        }
    if not path.is_dir():
        raise FileNotFoundError(f'no such file or folder: {path}')
    names = _files_of(path) if files is None else sorted(map(str, files))
    sizes = [(path / name).stat().st_size for name in names]
    cap = None if sum(sizes) <= budget else budget // len(names)
    digest, read = hashlib.sha256(), 0
    for name, size in zip(names, sizes, strict=True):
        part = file_hash(path / name, cap) if content else ''
        read += min(size, size if cap is None else cap) if content else 0
        digest.update(f'{Path(name).as_posix()}\0{size}\0{part}\n'.encode())
    return {
        'path': str(path),
        'sha256': digest.hexdigest(),
        'count': len(names),
        'bytes': sum(sizes),
        'bytes_read': read,
    }


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


def _files_of(folder: Path) -> list[str]:
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob('*')
        if file.is_file()
    )


def file_hash(path: Path, cap: int | None = None) -> str:
    """Hash of a file, or of its first bytes.

    Args:
        path (Path): The file.
        cap (int | None): How many bytes count. Defaults to None: all.

    Returns:
        str: SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    left = path.stat().st_size if cap is None else cap
    with open(path, 'rb') as file:
        while block := file.read(min(left, 1 << 20)):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
