"""Telling whether an input is the same as before, by its content."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

#: Bytes of a folder that are read for its fingerprint: seconds, not minutes.
FOLDER_BUDGET = 1 << 30


def fingerprint(path: str | os.PathLike) -> dict[str, Any]:
    """Identify a file, or all files of a folder, by the content.

    Args:
        path (str | os.PathLike): A file, which is hashed whole, or a folder,
            whose files count as in :func:`fingerprint_files`, those in
            subfolders too.

    Returns:
        dict[str, Any]: ``path``, ``sha256``, ``count``, ``bytes`` and, of a
        folder, ``bytes_read``.

    Raises:
        FileNotFoundError: `path` does not exist.
    """
    path = Path(path)
    if path.is_dir():
        files = [file for file in path.rglob('*') if file.is_file()]
        return fingerprint_files(files, folder=path)
    size = path.stat().st_size
    return {
        'path': str(path),
        'sha256': _file_hash(path, size),
        'count': 1,
        'bytes': size,
    }


def fingerprint_files(
    paths: Sequence[str | os.PathLike],
    *,
    content: bool = True,
    folder: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """Identify several files by one hash.

    It covers names, sizes and contents in order of the names, which are
    relative to a folder that holds all files. Where they have more
    than `FOLDER_BUDGET` bytes, only the first ``FOLDER_BUDGET / count`` bytes
    of each file are read, so that the time is bounded and the hash still the
    same every time.

    Args:
        paths (Sequence[str | os.PathLike]): The files; at least one where no
            folder is given.
        content (bool): False covers only names and sizes. Defaults to True.
        folder (str | os.PathLike | None): The folder. Defaults to None: the
            deepest one.

    Returns:
        dict[str, Any]: ``path`` of the folder, ``sha256``, ``count``,
        ``bytes`` and ``bytes_read``.

    Raises:
        FileNotFoundError: A file does not exist.
    """
    if folder is None:
        folder = os.path.commonpath([Path(path).parent for path in paths])
    names = sorted(os.path.relpath(path, folder) for path in paths)
    sizes = [os.path.getsize(os.path.join(folder, name)) for name in names]
    limit = FOLDER_BUDGET if content else 0  # of each file
    if sum(sizes) > limit:
        limit //= len(names)
    digest = hashlib.sha256()
    for name, size in zip(names, sizes, strict=True):
        part = _file_hash(Path(folder, name), limit) if content else ''
        digest.update(f'{Path(name).as_posix()}\0{size}\0{part}\n'.encode())
    return {
        'path': str(folder),
        'sha256': digest.hexdigest(),
        'count': len(names),
        'bytes': sum(sizes),
        'bytes_read': sum(min(size, limit) for size in sizes),
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


def _file_hash(path: Path, limit: int) -> str:
    """Hash of the first `limit` bytes of a file."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(min(limit, 1 << 20)):
            digest.update(block)
            limit -= len(block)
    return digest.hexdigest()
