"""Running the commands of a stage, and the line that shows it."""

import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import (
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from oaa_mm.runs.cli import Terminated

#: Seconds that an interrupted command has to end by itself.
_PATIENCE = 3


def call(words: Sequence[str], log: Path | None = None) -> int:
    """Run a command, which ends with this process.

    Args:
        words (Sequence[str]): The command, without `python`.
        log (Path | None): File to which its output is appended. Defaults to
            None: it is printed.

    Returns:
        int: Its exit status.
    """
    with open(log, 'a', encoding='utf-8') if log else nullcontext() as out:
        line = f'$ python {shlex.join(words)}'
        print(line, file=out or sys.stdout, flush=True)
        both = subprocess.STDOUT if log else None
        process = subprocess.Popen(
            [sys.executable, *words], stdout=out, stderr=both
        )
        try:
            return process.wait()
        except KeyboardInterrupt as error:
            # Ctrl-C in a terminal reaches the command too, SIGTERM does not.
            patience = 0 if isinstance(error, Terminated) else _PATIENCE
            for end in (process.terminate, process.kill):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
                    break
                end()
                patience = 10 * _PATIENCE
            process.wait()
            raise


def last_lines(log: Path) -> str:
    """The end of a log.

    Args:
        log (Path): The file.

    Returns:
        str: The lines, 30 at most.
    """
    with open(log, encoding='utf-8', errors='replace') as file:
        return ''.join(deque(file, 30)).rstrip()


@contextmanager
def one_line(text: str) -> Iterator[None]:
    """Show a line while the block runs, and its time once it has ended.

    In a terminal the time runs along.

    Args:
        text (str): The line.
    """
    console = Console()
    columns = (
        SpinnerColumn(),
        TextColumn('{task.description}', markup=False),
        TimeElapsedColumn(),
    )
    start = time.perf_counter()
    end = '\n'
    try:
        if console.is_terminal:
            with Progress(*columns, console=console, transient=True) as bar:
                bar.add_task(text, total=None)
                yield
            print(text, end='')
        else:
            print(text, end='', flush=True)
            yield
        end = f': {duration(time.perf_counter() - start)}\n'
    finally:
        print(end=end, flush=True)


def duration(seconds: float) -> str:
    """A time in a reader's unit.

    Args:
        seconds (float): The time.

    Returns:
        str: For example ``'42 s'`` or ``'7.3 minutes'``.
    """
    if seconds < 100:
        return f'{seconds:.0f} s'
    return f'{seconds / 60:.1f} minutes'
