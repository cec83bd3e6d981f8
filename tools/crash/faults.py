"""Stopping a process inside the write of a file.

The functions that write are replaced in the process that is to be killed;
the code under test has no switch for it.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import IO, Any

#: Half of the bytes are written; all are, but not under the final name; the
#: file has its final name, and nothing else has happened.
POINTS = ('half', 'written', 'renamed')


@dataclass(frozen=True)
class Fault:
    """Where a process stops.

    Attributes:
        target (str): Name of the file that is being written, with wildcards.
        point (str): One of ``POINTS``.
        nth (int): At which of the writes, from 1.
    """

    target: str
    point: str
    nth: int = 1

    def __str__(self) -> str:
        return f'{self.target} {self.point}'


def install_fault(fault: Fault, reached: Callable[[], None]) -> None:
    """Let this process stop at a fault, for good.

    Args:
        fault (Fault): Where.
        reached (Callable[[], None]): Called there, before the process stops.
    """
    left = fault.nth

    def is_here(name: str) -> bool:
        nonlocal left
        if fnmatch(name, fault.target):
            left -= 1
            return left == 0
        return False

    def stop() -> None:
        reached()
        while True:
            signal.pause()

    if fault.point == 'half':
        _patch_open(is_here, stop)
    else:
        _patch_replace(fault.point, is_here, stop)


def _patch_replace(
    point: str, is_here: Callable[[str], bool], stop: Callable[[], None]
) -> None:
    replace = os.replace

    def stopping(source: str, target: str, **options: Any) -> None:
        here = is_here(os.path.basename(target))
        if here and point == 'written':
            stop()
        replace(source, target, **options)
        if here:
            stop()

    os.replace = stopping


def _patch_open(
    is_here: Callable[[str], bool], stop: Callable[[], None]
) -> None:
    original = builtins.open

    class HalfWriter(io.BufferedWriter):
        def write(self, data: Any) -> int:
            super().write(memoryview(data).cast('B')[: len(data) // 2])
            self.flush()
            stop()
            return 0

        def fileno(self) -> int:
            # Asked for by `fsync`, where a library has written the file by
            # its name.
            name = self.raw.name
            os.truncate(name, os.path.getsize(name) // 2)
            stop()
            return super().fileno()

    def stopping(file: Any, mode: str = 'r', *args: Any, **options: Any) -> IO:
        writes = 'w' in mode or 'x' in mode
        name = os.path.basename(str(file)) if writes else ''
        # `.epoch_3.pth.a1b2c3d4.tmp`, the temporary file of `atomic_write`.
        if name.endswith('.tmp') and is_here(name[1:-13]):
            half = HalfWriter(io.FileIO(file, 'wb'))
            if 'b' in mode:
                return half
            return io.TextIOWrapper(half, write_through=True, **options)
        opened = original(file, mode, *args, **options)
        if name and is_here(name):  # mmengine's `last_checkpoint`
            stop()  # it is empty now
        return opened

    builtins.open = stopping
