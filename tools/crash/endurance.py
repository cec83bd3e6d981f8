"""A long training, watched for memory and files that only grow."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from statistics import median

from .lab import run_command
from .report import Report
from .world import World

#: What is measured -> allowed growth from the second quarter of the training
#: to the last, as a factor and a number: a file may be open at the moment.
ALLOWED = {
    'MiB of memory': (1.03, 0),
    'open files': (1, 2),
    'processes': (1, 0),
}


class Watch:
    """Looks at a process and its children twice a second.

    Attributes:
        samples (list[tuple[int, int, int]]): MiB of memory (the shared part
            counted once), open files of the process, processes.
        seen (set[int]): Numbers of all processes.
    """

    def __init__(self) -> None:
        self.samples: list[tuple[int, int, int]] = []
        self.seen: set[int] = set()
        self._next = 0.0

    def __call__(self, pid: int) -> None:
        """Take a sample, if it is time.

        Args:
            pid (int): The process.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.5
        try:
            family = [pid, *children(pid)]
            memory = sum(map(_memory, family))
            files = len(os.listdir(f'/proc/{pid}/fd'))
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            return
        self.seen |= set(family)
        self.samples.append((memory >> 10, files, len(family)))


def children(pid: int) -> list[int]:
    """Numbers of the processes that a process has started.

    Args:
        pid (int): The process.

    Returns:
        list[int]: Its children, not theirs.
    """
    path = f'/proc/{pid}/task/{pid}/children'
    return [int(text) for text in Path(path).read_text().split()]


def _memory(pid: int) -> int:
    """Proportional set size in KiB: shared pages count in parts."""
    text = Path(f'/proc/{pid}/smaps_rollup').read_text()
    return int(re.search(r'^Pss:\s+(\d+)', text, re.MULTILINE)[1])


def train_long(world: World, folder: Path, *, epochs: int = 50) -> Report:
    """Train with two persistent workers and watch.

    Args:
        world (World): Data and configs.
        folder (Path): To work in.
        epochs (int): Number of epochs. Defaults to 50.

    Returns:
        Report: What was found.
    """
    report = Report(f'{epochs} epochs with two workers')
    before = set(os.listdir('/dev/shm'))
    watch = Watch()
    outcome = run_command(
        [
            *('tools/train.py', str(world.folder / 'oaa.py')),
            *('--work-dir', str(folder / 'work'), '--cfg-options'),
            f'train_cfg.max_epochs={epochs}',
            f'param_scheduler.end={epochs}',
            'train_dataloader.num_workers=2',
            'train_dataloader.persistent_workers=True',
        ],
        log=folder / 'log.txt',
        watch=watch,
    )
    if outcome.status:
        report.problems.append(f'it failed: {outcome.output[-2000:]}')
        return report
    report.finished = 1
    quarter = len(watch.samples) // 4
    early = watch.samples[quarter : 2 * quarter]
    late = watch.samples[3 * quarter : -1]
    for index, (name, (factor, number)) in enumerate(ALLOWED.items()):
        values = [median(s[index] for s in part) for part in (early, late)]
        report.notes.append(
            f'{name}: {values[0]:.0f} in the second quarter, '
            f'{values[1]:.0f} in the last'
        )
        if values[1] > values[0] * factor + number:
            report.problems.append(f'{name} grew from {values}')
    left = set(os.listdir('/dev/shm')) - before
    left |= {str(p) for p in (folder / 'work').rglob('.*')}
    left |= {
        f'process {n}' for n in watch.seen if os.path.exists(f'/proc/{n}')
    }
    report.check(sorted(left), 'left behind')
    report.notes.append(f'{outcome.seconds:.0f} s; left behind: {len(left)}')
    return report
