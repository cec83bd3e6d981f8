"""Is a stage done, and is what it made still valid?

A finished stage leaves `stage.json` in its folder: its commands, a hash of
each config they use with everything inherited, and hashes of the files read
and made. It is valid as long as all of that is the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from oaa_mm.io import atomic_write
from oaa_mm.io.fingerprint import file_hash
from oaa_mm.runs.config import read_config

from .plan import Stage

RECORD = 'stage.json'
STARTED = 'stage_started.json'


@dataclass(frozen=True)
class StageRecord:
    """What identifies a run of a stage.

    Attributes:
        commands (list[list[str]]): Its commands.
        configs (dict[str, str]): Config file -> hash of its whole content,
            bases included.
        inputs (dict[str, str]): File -> hash of its content.
        outputs (dict[str, str]): Likewise; empty until the stage is done.
        seconds (float): How long it ran.
    """

    commands: list[list[str]]
    configs: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write the record, atomically.

        Args:
            path (Path): The file.
        """
        with atomic_write(path, 'w') as file:
            json.dump(asdict(self), file, indent=1)

    @classmethod
    def load(cls, path: Path) -> StageRecord | None:
        """Read a record.

        Args:
            path (Path): The file.

        Returns:
            StageRecord | None: None if there is none, or it is damaged: the
            stage then counts as not done.
        """
        try:
            record = cls(**json.loads(path.read_text(encoding='utf-8')))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        hashes = (record.configs, record.inputs, record.outputs)
        return record if all(isinstance(h, dict) for h in hashes) else None

    def change_from(self, older: StageRecord) -> str | None:
        """What differs from an older record, None if nothing does.

        Args:
            older (StageRecord): The record of a run that was done or begun.

        Returns:
            str | None: A sentence for the user.
        """
        if self.commands != older.commands:
            return 'its command changed'
        for kind in ('configs', 'inputs'):
            new, old = getattr(self, kind), getattr(older, kind)
            for path in sorted(set(new) | set(old)):
                if new.get(path) != old.get(path):
                    return f'{path} changed'
        return None


def current_record(stage: Stage) -> StageRecord:
    """What identifies a run of a stage now.

    Args:
        stage (Stage): Its inputs may still be missing (they get no hash).

    Returns:
        StageRecord: Without outputs.
    """
    configs = {
        word: _hash_text(read_config(word).pretty_text)
        for command in stage.commands
        for word in command[1:]
        if word.endswith('.py') and Path(word).is_file()
    }
    return StageRecord(
        commands=[list(command) for command in stage.commands],
        configs=configs,
        inputs=hash_files(stage.inputs),
    )


def stage_status(stage: Stage) -> str | None:
    """Why a stage has to run; None if it is done and still valid.

    Args:
        stage (Stage): The stage.

    Returns:
        str | None: A reason for the user.
    """
    record = StageRecord.load(stage.folder / RECORD)
    if record is None:
        return 'not done yet'
    change = current_record(stage).change_from(record)
    if change:
        return change
    for output in stage.outputs:
        if not output.is_file():
            return f'{output} is missing'
        if record.outputs.get(str(output)) != file_hash(output):
            return f'{output} is not what the stage made'
    return None


def hash_files(paths: tuple[Path, ...]) -> dict[str, str]:
    """Hashes of the files that exist.

    Args:
        paths (tuple[Path, ...]): Files; absent ones are left out.

    Returns:
        dict[str, str]: Path -> hash.
    """
    return {str(path): file_hash(path) for path in paths if path.is_file()}


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
