"""Kill, resume, compare: for the pipeline."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace

from .checks import stamps
from .lab import LIMIT, ForkedCommand, Outcome, run_command
from .report import Report
from .scenarios import moments_of
from .world import EPOCHS, World

TARGETS = (
    *('attention_epoch_?.safetensors', 'stage.json', 'epoch_*.pth'),
    *('*.png', 'oaa_plus.safetensors', 'iter_*.pth'),
)


def crash_pipeline(
    world: World, folder: Path, *, kills: int, random: Random
) -> Report:
    """Kill the pipeline and go on with `--resume`.

    Some kills end the stage as well; the others leave it running, and the
    pipeline has to refuse to run while it lives.

    Args:
        world (World): Data and configs.
        folder (Path): To work in.
        kills (int): Number of kills.
        random (Random): Draws the moments.

    Returns:
        Report: What was found, stages that were done twice included.
    """
    words = ['tools/run_pipeline.py', str(world.folder / 'pipeline.py')]
    words += ['--work-dir']
    reference, work = folder / 'reference', folder / 'work'
    log = folder / 'log.txt'
    whole = run_command([*words, str(reference)], log=log, prepare=fork_stages)
    report = Report('pipeline')
    if whole.status:
        report.problems.append(f'the reference failed: {whole.output[-2000:]}')
        return report
    words += [str(work), '--resume']
    moments = moments_of(TARGETS, whole.seconds, random)
    done: dict[str, tuple[int, int]] = {}
    for outcome in _outcomes(words, log, report, kills, moments):
        now = stamps(sorted(work.glob('*/stage.json')))
        redone = [path for path, stamp in done.items() if now[path] != stamp]
        done.update(now)
        when = f'after kill {report.kills}, {outcome.inside or "at random"}'
        report.check((f'{p}: the stage ran again' for p in redone), when)
        if outcome.killed:
            continue
        report.finished += 1
        if outcome.status:
            report.check([f'it failed: {outcome.output[-1500:]}'], when)
            return report
        report.check(_different(work, reference), when)
        done.clear()
        shutil.rmtree(work)
    return report


def _outcomes(
    words: list[str],
    log: Path,
    report: Report,
    kills: int,
    moments: Iterator,
) -> Iterator[Outcome]:
    """Runs of the pipeline, with enough kills; the last gets to its end."""
    refused_since = None
    while True:
        last = report.kills >= kills
        fault, after = (None, None) if last else next(moments)
        outcome = run_command(
            words,
            log=log,
            fault=fault,
            after=after,
            # A stage that has stopped inside a write would stay for ever.
            whole_group=fault is not None or report.kills % 4 > 1,
            prepare=fork_stages,
        )
        report.add(outcome)
        if 'is in use by another run' in outcome.output:
            # The stage has outlived the pipeline: a matter of seconds.
            report.refused += 1
            refused_since = refused_since or time.monotonic()
            if time.monotonic() - refused_since > LIMIT:
                report.problems.append('a stage never ended')
                return
            time.sleep(0.5)
            continue
        refused_since = None
        yield outcome
        if last:
            return


def fork_stages() -> None:
    """Let the pipeline of this process fork its stages."""
    from oaa_mm.pipeline import command

    command.subprocess = SimpleNamespace(
        Popen=ForkedCommand,
        STDOUT=subprocess.STDOUT,
        TimeoutExpired=subprocess.TimeoutExpired,
    )


def _different(work: Path, reference: Path) -> list[str]:
    """Results of a pipeline that are not the reference's."""
    names = [
        f'oaa/attention_epoch_{EPOCHS}.safetensors',
        'cam/cam.safetensors',
        'maps/oaa_plus.safetensors',
        *(
            str(path.relative_to(reference))
            for path in sorted(reference.glob('labels/*/labels/*.png'))
        ),
    ]
    return [
        f'{name} is not that of the reference'
        for name in names
        if not (work / name).is_file()
        or (work / name).read_bytes() != (reference / name).read_bytes()
    ]
