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

    if fault.point != 'half':
        _patch_replace(fault.point, is_here, stop)
    elif '.' in fault.target:
        _patch_fdopen(is_here, stop)
    else:  # mmengine writes `last_checkpoint` straight
        _patch_open(is_here, stop)


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


def _patch_fdopen(
    is_here: Callable[[str], bool], stop: Callable[[], None]
) -> None:
    fdopen = os.fdopen

    class HalfWriter(io.BufferedWriter):
        def write(self, data: Any) -> int:
            super().write(memoryview(data).cast('B')[: len(data) // 2])
            self.flush()
            stop()
            return 0

    def stopping(handle: int, mode: str = 'r', **options: Any) -> IO:
        name = os.path.basename(os.readlink(f'/proc/self/fd/{handle}'))
        # `.epoch_3.pth.a1b2c3d4.tmp`, the temporary file of `atomic_write`.
        if not name.endswith('.tmp') or not is_here(name[1:-13]):
            return fdopen(handle, mode, **options)
        file = HalfWriter(io.FileIO(handle, 'wb'))
        if 'b' in mode:
            return file
        return io.TextIOWrapper(file, write_through=True, **options)

    os.fdopen = stopping


def _patch_open(
    is_here: Callable[[str], bool], stop: Callable[[], None]
) -> None:
    original = builtins.open

    def stopping(file: Any, mode: str = 'r', *args: Any, **options: Any) -> IO:
        opened = original(file, mode, *args, **options)
        if 'w' in mode and is_here(os.path.basename(str(file))):
            stop()  # it is empty now
        return opened

    builtins.open = stopping
