"""Running the stages of a pipeline."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from oaa_mm.io.manifest import differences, write_manifest
from oaa_mm.runs.cli import Terminated
from oaa_mm.runs.lock import check_free, lock_folder, remove_leftovers

from .plan import Pipeline, Stage
from .record import (
    RECORD,
    STARTED,
    current_record,
    read_record,
    stage_status,
    with_outputs,
)
from .table import score_table


class PipelineError(ValueError):
    """A stage failed; its own message stands above."""


def run_pipeline(
    pipeline: Pipeline,
    *,
    first: str | None = None,
    last: str | None = None,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Run what is not done, in order, and print the table of scores.

    Args:
        pipeline (Pipeline): The stages.
        first (str | None): Run this stage and all later ones even if they are
            done. Defaults to None: skip what is done and still valid.
        last (str | None): Stop after this stage. Defaults to None.
        resume (bool): Go on inside a stage that was interrupted. Defaults to
            False: such a stage starts anew.
        say (Callable[[str], None]): Where messages go.

    Raises:
        FolderInUseError: Another run works in the folder of the pipeline or
            of a stage.
        PipelineError: A stage failed or did not make its outputs.
        ValueError: `first` or `last` is no stage.
    """
    stages = pipeline.between(None, last)
    forced = pipeline.between(first, last) if first else []
    with lock_folder(pipeline.work_dir, 'pipeline', remedy=_REMEDY):
        _run_stages(stages, forced, resume=resume, say=say)
    say(score_table(pipeline.scores))


#: What to do where another run is at work.
_REMEDY = 'name another folder with --work-dir'


def _run_stages(
    stages: Sequence[Stage],
    forced: Sequence[Stage],
    *,
    resume: bool,
    say: Callable[[str], None],
) -> None:
    for stage in stages:
        reason = stage_status(stage)
        if reason is None and stage in forced:
            reason = f'asked for by --from {forced[0].name}'
        if reason is None:
            say(f'[{stage.name}] done and still valid, skipped')
            continue
        say(f'[{stage.name}] {reason}')
        _run_stage(stage, resume=resume, say=say)


def _run_stage(
    stage: Stage, *, resume: bool, say: Callable[[str], None]
) -> None:
    now = current_record(stage)
    absent = [str(p) for p in stage.inputs if not p.exists()]
    if absent:
        raise PipelineError(
            f'stage {stage.name!r} needs {", ".join(absent)}, which does not '
            'exist; run the stages before it, or put the file there'
        )
    # A stage may have outlived the pipeline that started it.
    check_free(stage.folder, remedy=_REMEDY)
    remove_leftovers(stage.folder)
    begun = read_record(stage.folder / STARTED)
    same = begun is not None and not differences(begun, now)
    going_on = resume and same and stage.resume is not None
    if not going_on:
        _put_aside(stage.folder, say)
    write_manifest(stage.folder / STARTED, now)
    start = time.perf_counter()
    for number, command in enumerate(stage.commands, 1):
        words = list(command)
        if going_on and number == len(stage.commands):
            words += stage.resume
        _call(stage, words, say)
    missing = [str(p) for p in stage.outputs if not p.is_file()]
    if missing:
        raise PipelineError(
            f'stage {stage.name!r} ended well but did not make '
            f'{", ".join(missing)}; its `outputs` in the pipeline config and '
            'its own config disagree'
        )
    seconds = round(time.perf_counter() - start, 1)
    done = replace(with_outputs(now, stage), seconds=seconds)
    write_manifest(stage.folder / RECORD, done)
    (stage.folder / STARTED).unlink()
    say(f'[{stage.name}] done in {seconds / 60:.1f} minutes')


def _call(stage: Stage, words: list[str], say: Callable[[str], None]) -> None:
    say(f'[{stage.name}] $ python {shlex.join(words)}')
    sys.stdout.flush()
    status = _wait(subprocess.Popen([sys.executable, *words]))
    if status:
        raise PipelineError(
            f'stage {stage.name!r} failed with status {status}; its message '
            'stands above. Once it is mended, the same command with --resume '
            'goes on here'
        )


def _wait(process: subprocess.Popen) -> int:
    """Exit status of a command, which ends with this process."""
    try:
        return process.wait()
    except KeyboardInterrupt as error:
        # Ctrl-C in a terminal reaches the command as well, SIGTERM does not.
        patience = 0 if isinstance(error, Terminated) else _PATIENCE
        for end in (process.terminate, process.kill):
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                break
            end()
            patience = 10 * _PATIENCE
        process.wait()
        raise


#: Seconds that a command has to end by itself.
_PATIENCE = 3


def _put_aside(folder: Path, say: Callable[[str], None]) -> None:
    """Keep what an earlier run of the stage made under another name."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    number = 1
    while (aside := folder.with_name(f'{folder.name}.{number}')).exists():
        number += 1
    os.replace(folder, aside)
    say(f'[{folder.name}] the former run was moved to {aside}')


def dry_run(
    pipeline: Pipeline,
    *,
    first: str | None = None,
    last: str | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Print the commands of all stages and run the checks of the data.

    Args:
        pipeline (Pipeline): The stages.
        first (str | None): As in :func:`run_pipeline`.
        last (str | None): As in :func:`run_pipeline`.
        say (Callable[[str], None]): Where messages go.

    Returns:
        int: 0, or 1 if a check found an error.
    """
    forced = pipeline.between(first, last) if first else []
    earlier_runs = False
    for stage in pipeline.between(None, last):
        reason = stage_status(stage)
        if reason is None and stage in forced:
            reason = f'asked for by --from {first}'
        if reason is None and earlier_runs:
            reason = 'if an earlier stage changes what it reads'
        earlier_runs |= reason is not None
        say(f'[{stage.name}] {f"runs: {reason}" if reason else "skipped"}')
        for command in stage.commands:
            say(f'  python {shlex.join(command)}')
    status = 0
    for command in pipeline.checks:
        say(f'[check] python {shlex.join(command)}')
        sys.stdout.flush()
        call = subprocess.run([sys.executable, *command], check=False)
        status |= int(call.returncode != 0)
    return status
