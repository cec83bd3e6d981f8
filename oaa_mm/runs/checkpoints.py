"""Checkpoints: written as a whole, and the newest whole one is resumed."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from oaa_mm.io import atomic_write
from oaa_mm.registry import HOOKS


class AtomicLocalBackend(LocalBackend):
    """mmengine's backend of local files, whose files appear when complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file, atomically; missing folders are made.

        Args:
            obj (bytes): Its content.
            filepath (str | Path): The file.
        """
        with atomic_write(filepath, size=len(obj)) as file:
            file.write(obj)


# Under a name of its own: mmengine's backend of local files stays in place.
register_backend('oaa_mm.atomic_local', AtomicLocalBackend)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook, with atomic writes on local disks.

    CheckpointHook writes straight into ``epoch_3.pth``. A process that is
    killed meanwhile leaves half a file, and with `save_best` it destroys a
    complete one: the checkpoint of an epoch is written again after its
    validation. This hook writes under a temporary name and renames the file.
    An `out_dir` on another storage (``s3://...``) is left to its backend.

    Args:
        *args: Arguments of :class:`mmengine.hooks.CheckpointHook`.
        **kwargs: Further arguments of it. `max_keep_ckpts` should be 2 or
            more, since mmengine removes the oldest checkpoint before it
            writes the new one.
    """

    def before_train(self, runner: Runner) -> None:
        """Find out where checkpoints go.

        Args:
            runner (Runner): The runner of the training.
        """
        super().before_train(runner)
        if isinstance(self.file_backend, LocalBackend):
            self.backend_args = {'backend': 'oaa_mm.atomic_local'}


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
                'checkpoint before it writes the new one, so that an '
                'interruption in between leaves none. Set it to 2 or more'
            )
        if not runner._resume or runner._load_from is not None:
            return
        out_dirs = [os.fspath(h.out_dir) for h in hooks if h.out_dir]
        if any('://' in out_dir for out_dir in out_dirs):
            return  # on another storage
        # CheckpointHook adds the name of the work_dir to its out_dir.
        name = Path(runner.work_dir).name
        folders = [runner.work_dir, *(os.path.join(d, name) for d in out_dirs)]
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
    """The fault of a checkpoint's file.

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
