"""Whether a stage is done and its outputs are still valid.

A finished stage leaves its manifest as `stage.json` in its folder: its
commands, fingerprints of the configs they use with everything inherited, and
of the files read and made. It is valid as long as all of that is the same.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from oaa_mm.io.fingerprint import fingerprint, fingerprint_names
from oaa_mm.io.manifest import Manifest, differences, read_manifest
from oaa_mm.runs.config import read_config

from .plan import Stage

RECORD = 'stage.json'
STARTED = 'stage_started.json'


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


def current_record(stage: Stage) -> Manifest:
    """The manifest of a run of a stage that would start now.

    Args:
        stage (Stage): Inputs that are still missing have no fingerprint.

    Returns:
        Manifest: Without outputs.
    """
    configs = {
        word: fingerprint_names(word, [read_config(word).pretty_text])
        for command in stage.commands
        for word in command[1:]
        if word.endswith('.py') and Path(word).is_file()
    }
    return Manifest(
        tool='run_pipeline',
        parameters={
            f'command {number}': shlex.join(command)
            for number, command in enumerate(stage.commands, 1)
        },
        inputs={**configs, **_fingerprints(stage.inputs)},
    )


def with_outputs(record: Manifest, stage: Stage) -> Manifest:
    """Add fingerprints of what a stage has made to its record.

    Args:
        record (Manifest): What :func:`current_record` returned.
        stage (Stage): Outputs that are missing have no fingerprint.

    Returns:
        Manifest: The whole record.
    """
    return replace(record, outputs=_fingerprints(stage.outputs))


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
    now = with_outputs(current_record(stage), stage)
    return '; '.join(differences(record, now)) or None


def _fingerprints(paths: list[Path]) -> dict[str, dict]:
    return {str(path): fingerprint(path) for path in paths if path.is_file()}
