"""One process of several dies: do the others end, and can they resume?"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from .checks import training_problems
from .lab import LIMIT, _become
from .report import Report
from .world import World

#: Seconds in which the others have to end.
PATIENCE = 60


def crash_processes(world: World, folder: Path) -> Report:
    """Kill one of two processes, in a step and at the exchange of maps.

    Args:
        world (World): Data and configs.
        folder (Path): To work in.

    Returns:
        Report: What was found.
    """
    report = Report('two processes')
    reference, work = folder / 'reference', folder / 'work'
    keep = ['--cfg-options', 'default_hooks.checkpoint.max_keep_ckpts=-1']
    words = ['tools/train.py', str(world.folder / 'oaa.py')]
    words += ['--launcher', 'pytorch', '--work-dir']
    statuses, _, output = _launch([*words, str(reference), *keep], folder)
    if any(statuses):
        report.problems.append(f'the reference failed: {output[-2000:]}')
        return report
    words += [str(work), '--resume', *keep]
    for where, prepare in (
        ('in a step', _die_in_step),
        ('at the exchange', _die_at_exchange),
    ):
        for victim in (1, 0):
            statuses, seconds, output = _launch(
                words, folder, prepare=prepare, victim=victim
            )
            other = statuses[1 - victim]
            report.kills += statuses[victim] == -signal.SIGKILL
            report.notes.append(
                f'process {victim} died {where}: the other ended {seconds:.1f}'
                f' s later with status {other}'
            )
            when = f'process {victim} died {where}'
            report.check(training_problems(work, reference), when)
            if other != 1 or 'another process of this run' not in output:
                report.check([f'no clear end: {output[-1500:]}'], when)
    statuses, _, output = _launch(words, folder)
    report.finished += not any(statuses)
    if any(statuses):
        report.check([f'it failed: {output[-1500:]}'], 'resumed')
    report.check(training_problems(work, reference), 'resumed')
    return report


def _die_in_step() -> None:
    """Die in the second epoch, when the other waits for gradients."""
    from oaa_mm.models import CAMClassifier

    forward, calls = CAMClassifier.forward, []

    def dying(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return forward(*args, **kwargs)

    CAMClassifier.forward = dying


def _die_at_exchange() -> None:
    """Die when the maps of an epoch are brought together."""
    from oaa_mm.engine.exchange import EpochExchange

    def dying(*args: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    EpochExchange.gather = dying


def _launch(
    words: list[str],
    folder: Path,
    *,
    prepare: Callable[[], None] | None = None,
    victim: int | None = None,
) -> tuple[list[int], float, str]:
    """Run a command in two processes.

    Returns their statuses, the seconds between their ends, and the output.
    """
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / 'log.txt'
    begin = log.stat().st_size if log.exists() else 0
    pids = []
    for rank in (0, 1):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.environ |= {
                'RANK': str(rank),
                'LOCAL_RANK': str(rank),
                'WORLD_SIZE': '2',
                'MASTER_ADDR': '127.0.0.1',
                'MASTER_PORT': port,
            }
            if rank == victim:
                prepare()
            _become(words, log)
        pids.append(pid)
    statuses, ends = _wait_all(pids)
    with open(log, encoding='utf-8', errors='replace') as file:
        file.seek(begin)
        output = file.read()
    return statuses, max(ends) - min(ends), output


def _wait_all(pids: list[int]) -> tuple[list[int], list[float]]:
    found: dict[int, tuple[int, float]] = {}
    deadline = time.monotonic() + LIMIT
    while len(found) < len(pids):
        for pid in pids:
            if pid in found:
                continue
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                found[pid] = status, time.monotonic()
                deadline = time.monotonic() + PATIENCE
            elif time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    statuses = [os.waitstatus_to_exitcode(found[pid][0]) for pid in pids]
    return statuses, [found[pid][1] for pid in pids]
