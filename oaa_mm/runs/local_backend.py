"""mmengine's local files, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mmengine.fileio import LocalBackend

from oaa_mm.io.files import atomic_write


class AtomicLocalBackend(LocalBackend):
    """mmengine's backend for local files, with atomic writes.

    mmengine writes a checkpoint straight into ``epoch_3.pth``; a process that
    is killed meanwhile leaves half a file under that name. Importing oaa_mm
    registers this backend in the place of mmengine's.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file, atomically; missing folders are made.

        Args:
            obj (bytes): Its content.
            filepath (str | Path): The file.
        """
        with atomic_write(filepath) as file:
            file.write(obj)

    def put_text(
        self, obj: str, filepath: str | Path, encoding: str = 'utf-8'
    ) -> None:
        """Write a text file, atomically; missing folders are made.

        Args:
            obj (str): Its content.
            filepath (str | Path): The file.
            encoding (str): Its encoding. Defaults to ``'utf-8'``.
        """
        with atomic_write(filepath, 'w', encoding=encoding) as file:
            file.write(obj)
