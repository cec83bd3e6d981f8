"""Ctrl-C and SIGTERM: a clean end, and a line on how to go on."""

from __future__ import annotations

import signal
from pathlib import Path

from oaa_mm.runs.lock import lock_folder

from .checks import label_problems, training_problems
from .faults import Fault
from .lab import run_command
from .report import Report
from .scenarios import label_words
from .stages import fork_stages
from .world import World

#: Signal -> exit status.
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def interrupt_all(world: World, folder: Path, store: Path) -> Report:
    """Interrupt each command in the middle of a write.

    Args:
        world (World): Data and configs.
        folder (Path): To work in; ``../plain/reference`` and, after
            labels were made, ``../labels/reference`` are compared with.
        store (Path): An attention store.

    Returns:
        Report: What was found.
    """
    report = Report('signals')
    train = ['tools/train.py', str(world.folder / 'plain.py')]
    pipeline = ['tools/run_pipeline.py', str(world.folder / 'pipeline.py')]
    png = Fault('*.png', 'half', nth=3)
    second = Fault('epoch_2.pth', 'half')
    goes_on = 'the same command with --resume goes on'
    commands = {
        'train': ([*train, '--work-dir'], second, goes_on),
        'labels': (label_words(world, store), png, 'the same command goes on'),
        'pipeline': ([*pipeline, '--work-dir'], second, goes_on),
    }
    for name, (words, fault, hint) in commands.items():
        for number, status in STATUS.items():
            work = folder / f'{name}_{number}'
            outcome = run_command(
                [*words, str(work)],
                log=folder / 'log.txt',
                fault=fault,
                send=number,
                prepare=fork_stages if name == 'pipeline' else None,
            )
            when = f'{name}, {signal.Signals(number).name}'
            report.notes.append(
                f'{when}: status {outcome.status}, '
                f'{outcome.output.strip().splitlines()[-1]}'
            )
            if outcome.status != status or hint not in outcome.output:
                report.check([outcome.output[-1500:]], when)
            left = [str(p) for p in work.rglob('.*.tmp')]
            left += [str(p) for p in work.rglob('.*.lock')]
            if 'Traceback' in outcome.output:
                left.append('a traceback was printed')
            report.check(left, when)
            if name == 'train':
                reference = world.folder / 'plain/reference'
                report.check(training_problems(work, reference), when)
            reference = world.folder / 'labels/reference'
            if name == 'labels' and reference.is_dir():
                report.check(label_problems(work, reference), when)
    return report


def run_twice(world: World, folder: Path, store: Path) -> Report:
    """Start each command where another process is at work.

    Args:
        world (World): Data and configs.
        folder (Path): To work in.
        store (Path): An attention store.

    Returns:
        Report: What was found.
    """
    report = Report('two runs in one folder')
    train = ['tools/train.py', str(world.folder / 'plain.py'), '--work-dir']
    pipeline = ['tools/run_pipeline.py', str(world.folder / 'pipeline.py')]
    pipeline += ['--work-dir']
    labels = label_words(world, store)
    locks = {
        'train': (train, _lock(folder, 'train')),
        'labels': (labels, _lock(folder, 'labels')),
        'pipeline': (pipeline, _lock(folder, 'pipeline')),
    }
    for name, (words, lock) in locks.items():
        with lock:
            before = sorted((folder / name).rglob('*'))
            outcome = run_command(
                [*words, str(folder / name)],
                log=folder / 'log.txt',
                prepare=fork_stages,
            )
            after = sorted((folder / name).rglob('*'))
        report.notes.append(f'{name}: {outcome.output.splitlines()[-1]}')
        if outcome.status != 1 or before != after:
            report.check([outcome.output[-1500:], str(after)], name)
        if 'is in use by another run: process' not in outcome.output:
            report.check([outcome.output[-1500:]], name)
    return report


def _lock(folder: Path, name: str):  # noqa: ANN202 (a context manager)
    return lock_folder(folder / name, name)
