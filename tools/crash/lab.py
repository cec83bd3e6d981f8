"""Running a command in a fork of this process, and killing it.

Importing takes most of the time of a tiny run, so it is done once, here, and
every run is a fork that begins where the command line is read.
"""

from __future__ import annotations

import atexit
import multiprocessing.util
import os
import runpy
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

from .faults import Fault, install_fault

ROOT = Path(__file__).resolve().parents[2]
#: Seconds after which a run hangs.
LIMIT = 600


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status (int): Exit status; negative: the signal that ended it.
        seconds (float): Duration of the run.
        inside (Fault | None): The write in which it was stopped.
        output (str): The text that it printed.
    """

    status: int
    seconds: float
    inside: Fault | None
    output: str

    @property
    def killed(self) -> bool:
        """Whether the signal came before the end."""
        return self.status == -signal.SIGKILL


def import_all() -> None:
    """Import what the commands need, before anything is forked.

    What mmengine prints of the machine and the config takes longer than a
    tiny run itself; it is cut short.
    """
    import mmengine.runner
    import mmseg.datasets
    import mmseg.engine
    import mmseg.models
    import mmseg.visualization  # noqa: F401
    import torch

    import oaa_mm.datasets
    import oaa_mm.engine
    import oaa_mm.evaluation
    import oaa_mm.models
    import oaa_mm.pipeline
    import oaa_mm.pseudo_labels.folder  # noqa: F401

    torch.set_num_threads(1)
    mmengine.runner.runner.collect_env = dict
    mmengine.Config.pretty_text = property(
        lambda config: f'config = {config.to_dict()!r}\n'
    )


def run_command(
    words: Sequence[str],
    *,
    log: Path,
    fault: Fault | None = None,
    send: signal.Signals = signal.SIGKILL,
    after: float | None = None,
    whole_group: bool = False,
    prepare: Callable[[], None] | None = None,
    watch: Callable[[int], None] | None = None,
) -> Outcome:
    """Run a command of `tools/` in a fork, and perhaps end it by a signal.

    Args:
        words (Sequence[str]): ``tools/train.py`` and its arguments.
        log (Path): File to which its output is appended.
        fault (Fault | None): The write in which the signal comes.
        send (signal.Signals): The signal. Defaults to SIGKILL.
        after (float | None): Seconds after which it comes, where there is no
            fault. Defaults to None: the command runs to its end.
        whole_group (bool): Whether the processes that it started get the
            signal too. Defaults to False.
        prepare (Callable[[], None] | None): Called first in the fork.
        watch (Callable[[int], None] | None): Called again and again with the
            number of the process, while it runs.

    Returns:
        Outcome: How it ended.

    Raises:
        TimeoutError: It hung.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    begin = log.stat().st_size if log.exists() else 0
    receive, report = os.pipe()
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(receive)
        if prepare is not None:
            prepare()
        if fault is not None:
            install_fault(fault, lambda: os.write(report, b'!'))
        _become(words, log)
    os.close(report)
    try:
        why = _wait_for(receive, fault, after)
        if why != 'end':
            (os.killpg if whole_group else os.kill)(pid, send)
        status = _reap(pid, watch)
    except BaseException:  # Ctrl-C: the fork has a group of its own
        os.killpg(pid, signal.SIGKILL)
        raise
    finally:
        os.close(receive)
    with open(log, encoding='utf-8', errors='replace') as file:
        file.seek(begin)
        output = file.read()
    return Outcome(
        os.waitstatus_to_exitcode(status),
        time.monotonic() - start,
        fault if why == 'fault' else None,
        output,
    )


def _wait_for(receive: int, fault: Fault | None, after: float | None) -> str:
    """What comes first: the fault, the time or the end of the process."""
    if fault is None and after is None:
        return 'end'
    limit = LIMIT if after is None else after
    if not select.select([receive], [], [], limit)[0]:
        return 'time'
    # The pipe ends with the last process that could write.
    return 'fault' if os.read(receive, 1) == b'!' else 'end'


def _reap(pid: int, watch: Callable[[int], None] | None = None) -> int:
    """Status of a process, once it has ended."""
    deadline = time.monotonic() + LIMIT * (1 if watch is None else 10)
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        if watch is not None:
            watch(pid)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise TimeoutError(f'process {pid} did not end in {LIMIT} s')


def _become(words: Sequence[str], log: Path | None) -> NoReturn:
    """Turn this fork into the command."""
    status = 1
    atexit._clear()  # what the parent has to do at its own end
    # Ctrl-C is ignored by what a shell has started in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if log is not None:
            handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
        if words[0] == '-m':
            sys.argv = list(words[1:])
            runpy.run_module(words[1], run_name='__main__', alter_sys=True)
        else:
            sys.argv = [str(ROOT / words[0]), *words[1:]]
            runpy.run_path(sys.argv[0], run_name='__main__')
        status = 0
    except SystemExit as error:
        status = error.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        multiprocessing.util._exit_function()  # workers of loaders end
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class ForkedCommand:
    """What run_pipeline starts in place of `subprocess.Popen`.

    Args:
        command (Sequence[str]): The interpreter, which is not used, and the
            words of a command.
        stdout (TextIO | None): File for all output. Defaults to None: that of
            this process.
        stderr (int | None): As `subprocess.Popen` takes it; not used.
    """

    def __init__(
        self,
        command: Sequence[str],
        stdout: TextIO | None = None,
        stderr: int | None = None,
    ) -> None:
        sys.stdout.flush()
        self.status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _become(command[1:], None if stdout is None else stdout.name)

    def wait(self, timeout: float | None = None) -> int:
        """Exit status of the command, once it has ended.

        Args:
            timeout (float | None): Seconds to wait. Defaults to None: no end.

        Returns:
            int: The status.

        Raises:
            TimeoutExpired: It has not ended.
        """
        deadline = time.monotonic() + (LIMIT if timeout is None else timeout)
        while time.monotonic() <= deadline:
            if self.status is None:
                ended, status = os.waitpid(self.pid, os.WNOHANG)
                self.status = status if ended else None
            if self.status is not None:
                return os.waitstatus_to_exitcode(self.status)
            time.sleep(0.01)
        raise subprocess.TimeoutExpired('the command', timeout)

    def terminate(self) -> None:
        """Send SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)
