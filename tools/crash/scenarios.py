"""Kill, resume, compare: for trainings and pseudo-labels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, product
from pathlib import Path
from random import Random

from .checks import label_problems, stamps, training_problems
from .faults import POINTS, Fault
from .lab import run_command
from .report import Report
from .world import EPOCHS, World

Moment = tuple[Fault | None, float | None]


def crash_training(
    world: World,
    config: str,
    folder: Path,
    *,
    kills: int,
    random: Random,
    options: Sequence[str] = (),
) -> Report:
    """Kill and resume a training until it has been killed often enough.

    After each kill all files are compared with those of a training that was
    never interrupted; each time that the training gets to its end, it begins
    anew.

    Args:
        world (World): Data and configs.
        config (str): Name of the config in it.
        folder (Path): To work in.
        kills (int): Number of kills.
        random (Random): Draws the moments.
        options (Sequence[str]): ``--cfg-options``.

    Returns:
        Report: What was found.
    """
    path = str(world.folder / f'{config}.py')
    train = ['tools/train.py', path, '--work-dir']
    reference, work = folder / 'reference', folder / 'work'
    log = folder / 'log.txt'
    keep = 'default_hooks.checkpoint.max_keep_ckpts=-1'
    whole = run_command(
        [*train, str(reference), '--cfg-options', keep, *options], log=log
    )
    report = Report(f'training {config}')
    if whole.status:
        report.problems.append(f'the reference failed: {whole.output[-2000:]}')
        return report
    words = [*train, str(work), '--resume']
    words += ['--cfg-options', *options] if options else []
    targets = ['epoch_*.pth', 'epoch_*.pth.manifest.json', 'last_checkpoint']
    if list(reference.glob('attention_*.safetensors')):
        targets = ['attention_epoch_?.safetensors', *targets]

    last = work / f'epoch_{EPOCHS}.pth'

    _crash(
        report,
        words,
        kills=kills,
        moments=moments_of(targets, whole.seconds, random),
        log=log,
        inspect=lambda: training_problems(work, reference),
        at_end=lambda: [] if last.is_file() else [f'{last} is missing'],
        begin=lambda: shutil.rmtree(work, ignore_errors=True),
    )
    return report


def label_words(world: World, store: Path) -> list[str]:
    """The command that makes pseudo-labels, but for the folder.

    Args:
        world (World): Data and configs.
        store (Path): An attention store of its images.

    Returns:
        list[str]: Words, the last one is ``--out``.
    """
    return [
        *('tools/make_pseudo_labels.py', str(store)),
        *('--img-dir', str(world.data / 'JPEGImages')),
        *('--saliency-dir', str(world.data / 'SaliencyMaps')),
        *('--classes', str(world.data / 'classes.txt'), '--out'),
    ]


def crash_labels(
    world: World,
    store: Path,
    folder: Path,
    *,
    kills: int,
    random: Random,
) -> Report:
    """Kill the making of pseudo-labels, and run the same command again.

    Args:
        world (World): Data and configs.
        store (Path): An attention store of its images.
        folder (Path): To work in.
        kills (int): Number of kills.
        random (Random): Draws the moments.

    Returns:
        Report: What was found, labels that were made twice included.
    """
    make = label_words(world, store)
    reference, work = folder / 'reference', folder / 'work'
    log = folder / 'log.txt'
    whole = run_command([*make, str(reference)], log=log)
    report = Report('pseudo-labels')
    if whole.status:
        report.problems.append(f'the reference failed: {whole.output[-2000:]}')
        return report
    targets = ['*.png', 'summary.json', 'train.txt', 'manifest.json']
    seen: dict[str, tuple[int, int]] = {}

    def inspect() -> list[str]:
        now = stamps(sorted(work.glob('labels/*.png')))
        redone = [p for p, stamp in seen.items() if now.get(p) != stamp]
        seen.update(now)
        return [
            *(f'{path} was made again' for path in redone),
            *label_problems(work, reference),
        ]

    def begin() -> None:
        seen.clear()
        shutil.rmtree(work, ignore_errors=True)

    def at_end() -> list[str]:
        names = {p.relative_to(reference) for p in reference.rglob('*.*')}
        names -= {p.relative_to(work) for p in work.rglob('*.*')}
        return [f'{name} is missing' for name in sorted(names)]

    _crash(
        report,
        [*make, str(work)],
        kills=kills,
        moments=moments_of(targets, whole.seconds, random, most=5),
        log=log,
        inspect=inspect,
        at_end=at_end,
        begin=begin,
    )
    return report


def moments_of(
    targets: Sequence[str], seconds: float, random: Random, *, most: int = 2
) -> Iterator[Moment]:
    """When to kill: every second time inside a write, each in its turn.

    Args:
        targets (Sequence[str]): Names of the files, with wildcards.
        seconds (float): Duration of the work, in which random moments lie.
        random (Random): Draws the moments.
        most (int): Number of the last write of a kind that may be chosen.
            Defaults to 2.

    Yields:
        tuple[Fault | None, float | None]: A fault or a time.
    """
    for target, point in cycle(product(targets, POINTS)):
        if target == 'last_checkpoint' and point != 'half':
            continue  # it is not renamed
        yield Fault(target, point, nth=random.randint(1, most)), None
        yield None, random.uniform(0, seconds)


def _crash(
    report: Report,
    words: Sequence[str],
    *,
    kills: int,
    moments: Iterable[Moment],
    log: Path,
    inspect: Callable[[], list[str]],
    at_end: Callable[[], list[str]],
    begin: Callable[[], None],
) -> None:
    """Kill a command `kills` times; it gets to its end in between and last."""
    moments = iter(moments)
    begin()
    while True:
        last = report.kills >= kills
        fault, after = (None, None) if last else next(moments)
        outcome = run_command(words, log=log, fault=fault, after=after)
        report.add(outcome)
        when = f'after kill {report.kills}, {outcome.inside or "at random"}'
        report.check(inspect(), when)
        if outcome.killed:
            continue
        report.finished += 1
        if outcome.status:
            report.check([f'it failed: {outcome.output[-1500:]}'], when)
            return
        report.check(at_end(), when)
        if last:
            return
        begin()
