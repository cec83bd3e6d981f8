"""The frame of every command of `tools/`: errors, signals, exit status."""

import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pickle import UnpicklingError
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM has come; whoever handles Ctrl-C handles it too."""


def run_cli(main: Callable[[], int | None]) -> NoReturn:
    """Run the `main` of a command and leave Python with its exit status.

    Users' mistakes (ValueError) and files that are absent, unreadable or
    unwritable (OSError) end in one message instead of a traceback. Any other
    exception is a bug and keeps its traceback; with the environment variable
    OAA_MM_TRACEBACK set, all of them do. Ctrl-C and SIGTERM end in one line
    as well. Characters that the encoding of the standard output lacks are
    printed as question marks.

    Args:
        main (Callable[[], int | None]): Reads `sys.argv` and returns the
            exit status; None is success.

    Raises:
        SystemExit: Always. The status is that of `main`, 1 after a user's
            mistake, 130 after Ctrl-C, 143 after SIGTERM. One of several
            processes of a run ends with this status at once.

    Examples:
        >>> if __name__ == '__main__':  # doctest: +SKIP
        ...     run_cli(main)
    """
    # The standard error never fails: Python escapes what it cannot encode.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='replace')
    try:
        # SIGTERM becomes an exception, so that files are closed.
        with handle_signal(signal.SIGTERM, _terminate):
            status = main()
    except (ValueError, OSError, UnpicklingError) as error:
        if os.environ.get('OAA_MM_TRACEBACK'):
            raise
        untrusted = isinstance(error, UnpicklingError)
        text = _untrusted(error) if untrusted else error
        print(f'error: {text}', file=sys.stderr)
        status = 1
    except KeyboardInterrupt as error:
        hint = f': {error}' if str(error) else ''
        print(f'interrupted{hint}', file=sys.stderr)
        status = 143 if isinstance(error, Terminated) else 130
    if _is_one_of_several_processes():
        # A thread of gloo may outlive Python, which then aborts.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)
    sys.exit(status)


def _is_one_of_several_processes() -> bool:
    # Commands that train nothing have not imported it.
    dist = sys.modules.get('mmengine.dist')
    return dist is not None and dist.get_world_size() > 1


def _untrusted(error: UnpicklingError) -> str:
    """Say why torch has not loaded a checkpoint; its own text is a page."""
    names = sorted(set(re.findall(r'GLOBAL (\S+)', str(error))))
    return (
        'the checkpoint that the last line of the log names was not loaded, '
        'because it holds more than weights and the records of mmengine: '
        f'{", ".join(names) or str(error).splitlines()[-1]}. Loading it '
        'could run code of whoever made it. If you trust it, set the '
        'environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 for this '
        'command'
    )


@contextmanager
def on_interrupt(hint: str) -> Iterator[None]:
    """Say how to go on if the block is interrupted.

    Args:
        hint (str): The sentence that :func:`run_cli` prints.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM, with the sentence.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise type(error)(hint) from None


@contextmanager
def handle_signal(
    number: signal.Signals, handler: Callable | signal.Handlers
) -> Iterator[None]:
    """Handle a signal differently within a block.

    Only the main thread may set handlers; in others, nothing changes.

    Args:
        number (signal.Signals): The signal.
        handler (Callable | signal.Handlers): The function that is called, or
            a default of the system.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
