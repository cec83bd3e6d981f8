"""A training's hold on its work_dir."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.config import Config

from .checkpoints import (
    checkpoint_folders,
    newest_usable_checkpoint,
)
from .lock import lock_folder, remove_leftovers


@contextmanager
def lock_work_dir(work_dir: str | os.PathLike) -> Iterator[None]:
    """Keep other trainings out of a work_dir; remove what killed ones left.

    Args:
        work_dir (str | os.PathLike): The folder.

    Raises:
        FolderInUseError: Another training works there; it is named.
    """
    with lock_folder(
        work_dir, 'train', remedy='name another folder with --work-dir'
    ):
        remove_leftovers(work_dir)
        yield


def how_to_resume(cfg: Config) -> str:
    """What to do after an interruption.

    Args:
        cfg (Config): Of the training, with `work_dir`.

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
