"""Writing files so that an interruption never leaves half of one."""

import errno
import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

#: Greatest size of files that are read whole, 1 GiB: COCO's instances take
#: less than half of it, a larger file of labels is a mistake.
MAX_BYTES = 2**30

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def atomic_write(
    path: str | os.PathLike,
    mode: str = 'wb',
    *,
    size: int | None = None,
    **open_kwargs: Any,
) -> Iterator[IO]:
    """Open a temporary file that becomes `path` when the block succeeds.

    The file is written in the folder of `path` (made if absent), flushed to
    the disk and then renamed, so `path` holds either its old content or the
    whole new one. When the block raises, the temporary file is removed and
    `path` is left as it was.

    Args:
        path (str | os.PathLike): The file to write.
        mode (str): ``'wb'`` or ``'w'``. Defaults to ``'wb'``.
        size (int | None): Bytes of the whole file where they are known, for
            the message where the disk is full. Defaults to None.
        **open_kwargs: Further arguments of :func:`open` (encoding, newline).

    Yields:
        IO: The open temporary file.

    Raises:
        OSError: The file cannot be written (disk full, read-only folder); see
            :func:`write_error`.
    """
    path = Path(path)
    if mode == 'w':
        open_kwargs.setdefault('encoding', 'utf-8')
    temporary = f'{path.parent}/.{path.name}.{token_hex(4)}.tmp'
    file = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # 'x' opens no file that is already there.
        with open(temporary, mode.replace('w', 'x'), **open_kwargs) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        if file is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        # Other errors concern files that the block reads.
        if isinstance(error, OSError) and (
            file is None or error.filename in (None, temporary)
        ):
            raise write_error(error, path, size=size) from error
        raise


def write_json(
    path: str | os.PathLike, value: Any, *, indent: int | None = 1
) -> None:
    """Write a value as JSON, atomically.

    Args:
        path (str | os.PathLike): The file to write.
        value (Any): A value of JSON types without NaN and Inf.
        indent (int | None): Blanks by which each level is indented. None
            puts everything into one line, for large files. Defaults to 1.

    Raises:
        OSError: The file cannot be written; see :func:`atomic_write`.
        ValueError: JSON cannot hold the value.
    """
    try:
        text = json.dumps(value, indent=indent, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{path} cannot be written: JSON cannot hold its content ({error})'
        ) from error
    with atomic_write(path, 'w') as file:
        file.write(f'{text}\n')


def write_error(
    error: OSError, path: str | os.PathLike, *, size: int | None = None
) -> OSError:
    """An error of a write in terms of the file and the disk of the user.

    Args:
        error (OSError): The system's error, perhaps about a temporary file.
        path (str | os.PathLike): The file or folder that was to be written.
        size (int | None): Bytes that it needs, where they are known.

    Returns:
        OSError: Of the same `errno`. Where the disk is full, its message
        holds the bytes that are needed and free.
    """
    folder = Path(path).absolute().parent
    while not folder.is_dir():
        folder = folder.parent
    what = error.strerror or str(error)
    if error.errno in _FULL:
        needed = '' if size is None else f'{size:,} bytes are needed, '
        free = shutil.disk_usage(folder).free
        what += (
            f' ({needed}{free:,} bytes are free in {folder}; what was there '
            'before is unchanged. Free space or raise the limit, and retry)'
        )
    elif error.errno in _FORBIDDEN:
        what += (
            f' ({folder} cannot be written to; choose another folder, or '
            'change its permissions)'
        )
    return OSError(error.errno, what, str(path))


def read_bytes(path: str | os.PathLike) -> bytes:
    """Read a whole file that others may have made.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        bytes: Its content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is a folder, or larger than `MAX_BYTES`.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f'{path} is a folder, but a file is needed')
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ValueError(
            f'{path} has {size} bytes; files of more than {MAX_BYTES} are '
            'not read'
        )
    return path.read_bytes()


def read_text(path: str | os.PathLike) -> str:
    """Read a UTF-8 file, with or without byte order mark.

    Args:
        path (str | os.PathLike): The file; one whose name ends in ``.gz`` is
            decompressed.

    Returns:
        str: Its text, with the line ends that it has.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is a folder, or no UTF-8 text.
    """
    content = read_bytes(path)
    try:
        if os.fspath(path).endswith('.gz'):
            content = gzip.decompress(content)
        return content.decode('utf-8-sig')
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f'{path} is not UTF-8 text: {error}; save it as UTF-8'
        ) from error
