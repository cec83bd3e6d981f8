"""Writing files so that an interruption never leaves half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ['atomic_write']


@contextmanager
def atomic_write(
    path: str | os.PathLike, mode: str = 'wb', **open_kwargs: Any
) -> Iterator[IO]:
    """Open a temporary file that becomes `path` when the block succeeds.

    The file is written in the folder of `path` (made if absent), flushed to
    the disk and then renamed, so `path` holds either its old content or the
    whole new one. When the block raises, the temporary file is removed and
    `path` is left as it was.

    Args:
        path (str | os.PathLike): The file to write.
        mode (str): ``'wb'`` or ``'w'``. Defaults to ``'wb'``.
        **open_kwargs: Further arguments of :func:`open` (encoding, newline).

    Yields:
        IO: The open temporary file.

    Raises:
        OSError: The file cannot be written (disk full, read-only folder); the
            error names the final path.
    """
    path = Path(path)
    if mode not in ('w', 'wb'):
        raise ValueError(f"mode should be 'w' or 'wb', but got {mode!r}")
    if mode == 'w':
        open_kwargs.setdefault('encoding', 'utf-8')
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        prefix=f'.{path.name}.', suffix='.tmp', dir=path.parent
    )
    try:
        with os.fdopen(handle, mode, **open_kwargs) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; give the usual permissions instead.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
