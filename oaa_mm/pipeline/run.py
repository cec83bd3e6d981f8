"""Running the stages of a pipeline that are not done, or no longer valid.

A finished stage leaves its manifest as `stage.json` in its folder: its
commands, fingerprints of the configs they use with everything inherited, and
of the files read and made. It is valid as long as all of that is the same.
"""

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from oaa_mm.io.fingerprint import fingerprint, fingerprint_names
from oaa_mm.io.manifest import (
    Manifest,
    differences,
    read_manifest,
    write_manifest,
)
from oaa_mm.runs.config import config_path, read_config
from oaa_mm.runs.lock import check_free, lock_folder, remove_leftovers

from .command import call, duration, last_lines, one_line
from .plan import Pipeline, Stage
from .table import write_scores

#: Files in the folder of a stage: its manifest, that of a run that has started
#: but not ended, and the output of its commands.
RECORD, STARTED, LOG = 'stage.json', 'stage_started.json', 'stage.log'


class PipelineError(ValueError):
    """A stage failed; its own message stands above."""


def run_pipeline(
    pipeline: Pipeline,
    *,
    first: str | None = None,
    last: str | None = None,
    resume: bool = False,
    verbose: bool = False,
) -> None:
    """Run the stages that are not done, and print the table of scores.

    Args:
        pipeline (Pipeline): The stages.
        first (str | None): Run this stage and all later ones even if they are
            done. Defaults to None: skip stages that are done and still valid.
        last (str | None): Stop after this stage. Defaults to None.
        resume (bool): Go on inside a stage that was interrupted. Defaults to
            False: such a stage starts anew.
        verbose (bool): Print the output of the stages. Defaults to False: it
            goes to a log in the folder of each, and of a stage that fails the
            last lines are printed.

    Raises:
        FolderInUseError: Another run works in the folder of the pipeline or
            of a stage.
        PipelineError: A stage failed or did not make its outputs.
        ValueError: `first` or `last` is no stage.
    """
    reasons = _reasons(pipeline, first, last)
    with lock_folder(pipeline.work_dir, 'pipeline'):
        for stage, reason in reasons:
            if reason:
                _run_stage(stage, reason, resume=resume, verbose=verbose)
            else:
                print(f'[{stage.title}] done and still valid, skipped')
    print(write_scores(pipeline))


def dry_run(
    pipeline: Pipeline, *, first: str | None = None, last: str | None = None
) -> int:
    """Print the commands of all stages and run the checks of the data.

    Args:
        pipeline (Pipeline): The stages.
        first (str | None): As in :func:`run_pipeline`.
        last (str | None): As in :func:`run_pipeline`.

    Returns:
        int: 0, or 1 if a check found an error.
    """
    earlier_runs = False
    for stage, reason in _reasons(pipeline, first, last):
        if earlier_runs and not reason:
            reason = 'if an earlier stage changes what it reads'
        earlier_runs |= bool(reason)
        print(f'[{stage.title}] {f"runs: {reason}" if reason else "skipped"}')
        for command in stage.commands:
            print(f'  python {shlex.join(command)}')
    return int(any([call(check) for check in pipeline.checks]))


def _reasons(
    pipeline: Pipeline, first: str | None, last: str | None
) -> Iterator[tuple[Stage, str | None]]:
    """Each stage and why it runs, None where it is skipped.

    A reason is found when it is asked for, since earlier stages may change it.
    """
    stages = pipeline.between(None, last)
    asked = pipeline.between(first, last) if first else []
    reason = f'asked for by --from {first}'
    return (
        (s, stage_status(s) or (reason if s in asked else None))
        for s in stages
    )


def read_record(path: Path) -> Manifest | None:
    """Read the manifest of a stage.

    Args:
        path (Path): The file.

    Returns:
        Manifest | None: None if there is none, or it is damaged: the stage
        then counts as not done.
    """
    try:
        return read_manifest(path)
    except (OSError, ValueError):
        return None


def _current_record(stage: Stage) -> Manifest:
    """The manifest of a run that would start now, without outputs."""
    configs = {
        word: fingerprint_names(word, [read_config(word).pretty_text])
        for command in stage.commands
        for word in command[1:]
        if word.endswith('.py') and config_path(word).is_file()
    }
    return Manifest(
        tool='run_pipeline',
        parameters={
            f'command {number}': shlex.join(command)
            for number, command in enumerate(stage.commands, 1)
        },
        inputs={**configs, **_fingerprints(stage.inputs)},
    )


def stage_status(stage: Stage) -> str | None:
    """Why a stage has to run; None if it is done and still valid.

    Args:
        stage (Stage): The stage.

    Returns:
        str | None: A reason for the user.
    """
    record = read_record(stage.folder / RECORD)
    if record is None:
        return 'not done yet'
    now = replace(_current_record(stage), outputs=_fingerprints(stage.outputs))
    return '; '.join(differences(record, now)) or None


def _fingerprints(paths: list[Path]) -> dict[str, dict]:
    return {str(path): fingerprint(path) for path in paths if path.is_file()}


def _run_stage(
    stage: Stage, reason: str, *, resume: bool, verbose: bool
) -> None:
    now = _current_record(stage)
    absent = [str(p) for p in stage.inputs if not p.exists()]
    if absent:
        raise PipelineError(
            f'stage {stage.title!r} needs {", ".join(absent)}, which does not '
            'exist; run the stages before it, or put the file there'
        )
    # A stage may have outlived the pipeline that started it.
    check_free(stage.folder)
    remove_leftovers(stage.folder)
    begun = read_record(stage.folder / STARTED)
    same = begun is not None and not differences(begun, now)
    going_on = resume and same and stage.resume is not None
    if not going_on:
        _put_aside(stage)
    write_manifest(stage.folder / STARTED, now)
    start = time.perf_counter()
    *others, final = stage.commands
    final = final + stage.resume if going_on else final
    log, line = stage.folder / LOG, f'[{stage.title}] {reason}'
    if verbose:
        print(line)
    with nullcontext() if verbose else one_line(f'{line}; see {log}'):
        _call_all(stage, [*others, final], None if verbose else log)
    seconds = round(time.perf_counter() - start, 1)
    done = replace(now, outputs=_fingerprints(stage.outputs), seconds=seconds)
    write_manifest(stage.folder / RECORD, done)
    (stage.folder / STARTED).unlink()
    if verbose:
        print(f'[{stage.title}] done in {duration(seconds)}')


def _call_all(
    stage: Stage, commands: list[list[str]], log: Path | None
) -> None:
    """Run the commands of a stage and look for its outputs."""
    for words in commands:
        status = call(words, log)
        if status:
            said = 'its message stands above'
            if log:
                said = f'its last lines:\n{last_lines(log)}\nAll is in {log}'
            raise PipelineError(
                f'stage {stage.title!r} failed with status {status}; {said}. '
                'Mend its cause; the same command with --resume goes on here'
            )
    missing = [str(p) for p in stage.outputs if not p.is_file()]
    if missing:
        raise PipelineError(
            f'stage {stage.title!r} ended well but did not make '
            f'{", ".join(missing)}; its `outputs` in the pipeline config and '
            'its own config disagree'
        )


def _put_aside(stage: Stage) -> None:
    """Rename the folder of an earlier run of the stage, so that it is kept."""
    folder = stage.folder
    if not folder.exists() or not any(folder.iterdir()):
        return
    number = 1
    while (aside := folder.with_name(f'{folder.name}.{number}')).exists():
        number += 1
    os.replace(folder, aside)
    print(f'[{stage.title}] the former run was moved to {aside}')
