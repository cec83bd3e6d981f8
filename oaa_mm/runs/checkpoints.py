"""Going on from the newest checkpoint that is whole."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from oaa_mm.registry import HOOKS


@HOOKS.register_module()
class ResumeHook(Hook):
    """Let `--resume` find the newest usable checkpoint.

    mmengine goes on from what the file ``last_checkpoint`` names: an absolute
    path, whose file may be gone or damaged. This hook looks at the
    checkpoints themselves, verifies the newest and, where it is damaged, says
    so and takes the one before. A checkpoint that the config names
    (`load_from`) is used as it is, and one on another storage is found in
    mmengine's way.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Choose the checkpoint.

        Args:
            runner (Runner): The runner, before it loads anything.

        Raises:
            ValueError: There are checkpoints, but all are damaged.
        """
        hooks = [h for h in runner.hooks if isinstance(h, CheckpointHook)]
        if any(hook.max_keep_ckpts == 1 for hook in hooks):
            runner.logger.warning(
                'CheckpointHook.max_keep_ckpts=1: mmengine removes the old '
                'checkpoint before it writes the new one, an interruption in '
                'between leaves none. Set it to 2 or more'
            )
        if not runner._resume or runner._load_from is not None:
            return
        folders = checkpoint_folders(
            runner.work_dir, [hook.out_dir for hook in hooks]
        )
        if folders is None:  # on another storage
            return
        chosen = [_choose(runner, folders) if is_main_process() else None]
        broadcast_object_list(chosen)  # all processes take the same
        runner._load_from = chosen[0]
        runner._resume = chosen[0] is not None


def _choose(runner: Runner, folders: list[str]) -> str | None:
    path, skipped = newest_usable_checkpoint(folders)
    for damaged, reason in skipped.items():
        runner.logger.warning(f'{damaged} is skipped: {reason}')
    where = ' or '.join(folders)
    if path is not None:
        runner.logger.info(f'The newest usable checkpoint is {path}')
        return str(path)
    if skipped:
        raise ValueError(
            f'no checkpoint in {where} is usable: {", ".join(skipped)} are '
            'damaged. Put a whole one there, or start again without --resume'
        )
    runner.logger.warning(
        f'No checkpoint in {where}: the training starts from its beginning'
    )
    return None


def checkpoint_folders(
    work_dir: str | os.PathLike, out_dirs: Iterable[str | os.PathLike | None]
) -> list[str] | None:
    """Where a training writes its checkpoints.

    Args:
        work_dir (str | os.PathLike): The folder of the training.
        out_dirs (Iterable[str | os.PathLike | None]): `out_dir` of each
            CheckpointHook as the config has it.

    Returns:
        list[str] | None: Local folders; None if one is on another storage.
    """
    given = [out_dir for out_dir in out_dirs if out_dir is not None]
    if any('://' in str(out_dir) for out_dir in given):
        return None
    name = Path(work_dir).name  # CheckpointHook adds it
    return [os.fspath(work_dir), *(os.path.join(d, name) for d in given)]


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
