"""One run at a time in a folder, and one training in a work_dir."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.registry import HOOKS

#: Locks of this process: the system only excludes other processes.
_held: set[Path] = set()
if hasattr(os, 'register_at_fork'):  # a child does not have its parent's
    os.register_at_fork(after_in_child=_held.clear)


class FolderInUseError(OSError):
    """Another run works in the folder."""


@contextmanager
def lock_folder(
    folder: str | os.PathLike, name: str, *, option: str = '--work-dir'
) -> Iterator[None]:
    """Keep other runs of a kind out of a folder, which is made if absent.

    Temporary files that killed runs left there are removed.

    The locks are POSIX record locks. The system ends them with the process,
    however that ends, so a killed run leaves none behind; forked workers do
    not inherit them; and file systems that several machines share pass them
    on if they support locks at all (a warning says where they do not). The
    package `filelock` takes another kind, `flock`, which forked workers
    inherit and thus hold after their parent has ended, and it leaves its file
    behind; here the file says who holds the lock and goes with it. Within one
    process a lock that is already held is taken again freely.

    Args:
        folder (str | os.PathLike): The folder.
        name (str): Kind of the run (``'train'``); the file is
            ``.{name}.lock``.
        option (str): The option that names another folder, for the message.
            Defaults to ``'--work-dir'``.

    Raises:
        FolderInUseError: Another process holds the lock; the message names its
            host, number, start and command.
    """
    path = Path(os.path.abspath(folder)) / f'.{name}.lock'
    if path in _held:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _acquire(path, option)
    _held.add(path)
    try:
        remove_leftovers(folder)
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        os.close(handle)


def check_free(
    folder: str | os.PathLike,
    pattern: str = '.*.lock',
    *,
    option: str = '--work-dir',
) -> None:
    """Make sure that no other run works in a folder or below it.

    Args:
        folder (str | os.PathLike): The folder; it need not exist.
        pattern (str): Which locks count. Defaults to all.
        option (str): The option that names another folder, for the message.
            Defaults to ``'--work-dir'``.

    Raises:
        FolderInUseError: One does; the message names it.
    """
    locks = set(Path(os.path.abspath(folder)).rglob(pattern))
    for path in sorted(locks - _held):
        # One whose holder has just ended is gone.
        with suppress(FileNotFoundError), open(path, 'r+b') as file:
            _lock(file.fileno(), path, option)


@HOOKS.register_module()
class LockHook(Hook):
    """Refuse a second training in a work_dir.

    `tools/train.py` of oaa_mm takes the same lock earlier, before anything is
    written; this hook takes it under any other train.py. With several
    processes, the main one holds the lock.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._stack = ExitStack()

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Take the lock.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            FolderInUseError: Another training works there; it is named.
        """
        self._stack.enter_context(lock_folder(runner.work_dir, 'train'))

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Release the lock.

        Args:
            runner (Runner): The runner of the training.
        """
        self._stack.close()


def _acquire(path: Path, option: str) -> int:
    """Lock a file and write into it who holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(handle, path, option)
            # The file is gone where its holder has just removed it.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    _introduce(handle, path)
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, path: Path, option: str) -> None:
    try:
        import fcntl  # which Windows has not

        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise FolderInUseError(
            f'{path.parent} is in use by another run: {_holder(handle)}; its '
            f'lock is {path}. Wait until it has ended, or name '
            f'another folder with {option}'
        ) from None
    except (OSError, ImportError) as error:
        print(
            f'{path.parent} cannot be locked ({error}); take care that no '
            'other run works there',
            file=sys.stderr,
        )


def _introduce(handle: int, path: Path) -> None:
    if os.fstat(handle).st_size:
        print(
            f'{path.parent}: the previous run ended without releasing its '
            f'lock ({_holder(handle)})',
            file=sys.stderr,
        )
    holder = (
        f'process {os.getpid()} on host {socket.gethostname()}, started '
        f'{datetime.now():%Y-%m-%d %H:%M:%S} ({" ".join(sys.argv)[:200]})'
    )
    os.ftruncate(handle, 0)
    os.pwrite(handle, f'{holder}\n'.encode(), 0)


def _holder(handle: int) -> str:
    holder = os.pread(handle, 4096, 0).decode(errors='replace').strip()
    return holder or 'a process that has just started'


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Remove temporary files of writes that a kill has ended.

    Args:
        folder (str | os.PathLike): Files of `atomic_write` in it, not below
            it, are removed if nothing has been written to them for an hour.
    """
    for path in Path(folder).glob('.*.????????.tmp'):
        with suppress(FileNotFoundError):  # another run removes it as well
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink()
