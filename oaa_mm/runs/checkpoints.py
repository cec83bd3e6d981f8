"""The checkpoints that a training can be resumed from."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.config import Config


def checkpoint_folders(
    work_dir: str | os.PathLike, out_dirs: Iterable[str | os.PathLike | None]
) -> list[str] | None:
    """Where a training writes its checkpoints.

    Args:
        work_dir (str | os.PathLike): Of the training.
        out_dirs (Iterable[str | os.PathLike | None]): `out_dir` of each
            CheckpointHook as the config has it.

    Returns:
        list[str] | None: Local folders; None if one is on another storage.
    """
    work_dir = os.fspath(work_dir)
    folders = [work_dir]
    for out_dir in out_dirs:
        if out_dir is None:
            continue
        if '://' in str(out_dir):
            return None
        # CheckpointHook adds the name of the work_dir.
        name = os.path.basename(work_dir.rstrip(os.sep))
        folders.append(os.path.join(out_dir, name))
    return folders


def newest_usable_checkpoint(
    folders: Sequence[str | os.PathLike],
) -> tuple[Path | None, dict[str, str]]:
    """Find the newest checkpoint that is whole.

    Checkpoints are ``*.pth`` but for the best ones, ``best_*.pth``, which
    hold no optimiser to go on with. The newest is that written last.

    Args:
        folders (Sequence[str | os.PathLike]): Where to look.

    Returns:
        tuple[Path | None, dict[str, str]]: The checkpoint, None if there is
        none; and the damaged ones that are newer -> what is wrong.
    """
    found = [
        path
        for folder in folders
        for path in Path(folder).glob('*.pth')
        if path.is_file() and not path.name.startswith('best_')
    ]
    skipped: dict[str, str] = {}
    for path in sorted(found, key=_age, reverse=True):
        damage = checkpoint_damage(path)
        if damage is None:
            return path, skipped
        skipped[str(path)] = damage
    return None, skipped


def _age(path: Path) -> tuple[int, int, str]:
    """Time, then number: copies of a folder may have equal times."""
    digits = ''.join(c for c in path.stem if c.isdigit())
    return path.stat().st_mtime_ns, int(digits or 0), path.name


def checkpoint_damage(path: str | os.PathLike) -> str | None:
    """What is wrong with the file of a checkpoint.

    Args:
        path (str | os.PathLike): The file; torch writes a zip archive.

    Returns:
        str | None: None if every part of it matches its checksum.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            # torch itself does not look at the checksums.
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        return f'it is truncated or no checkpoint ({error})'
    if damaged is not None:
        return f'its part {damaged} does not match its checksum'
    return None


def how_to_resume(cfg: Config) -> str:
    """Tell a user what to do after an interruption.

    Args:
        cfg (Config): The config of the training, with `work_dir`.

    Returns:
        str: A sentence for the user.
    """
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    folders = checkpoint_folders(cfg.work_dir, [hook.get('out_dir')])
    path = newest_usable_checkpoint(folders or [])[0]
    if path is not None:
        return f'the same command with --resume goes on from {path}'
    if folders is None:
        return 'the same command with --resume goes on'
    return (
        f'there is no checkpoint in {" or ".join(folders)} yet, the same '
        'command starts again'
    )
