"""A training's hold on its work_dir."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from oaa_mm.engine.checkpoints import newest_usable_checkpoint
from oaa_mm.utils.lock import lock_folder, remove_leftovers

__all__ = ['how_to_resume', 'lock_work_dir']


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


def how_to_resume(work_dir: str | os.PathLike) -> str:
    """What to do after an interruption.

    Args:
        work_dir (str | os.PathLike): Of the training.

    Returns:
        str: A sentence for the user.
    """
    path, _ = newest_usable_checkpoint([work_dir])
    if path is None:
        return (
            f'there is no checkpoint in {work_dir} yet, the same command '
            'starts again'
        )
    return f'the same command with --resume goes on from {path}'
