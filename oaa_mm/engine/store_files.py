"""Where the store of a checkpoint lies, and whether it is the right one."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Mapping

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner, find_latest_checkpoint

from oaa_mm.attention.store_file import open_container


def checkpoint_folder(runner: Runner) -> str:
    """Folder of the checkpoints, so that stores lie beside them.

    Args:
        runner (Runner): The runner of the training.

    Returns:
        str: `out_dir` of the first CheckpointHook, if it is a local folder;
        else the work_dir.
    """
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.out_dir is not None:
            folder = os.fspath(hook.out_dir)
            if '://' not in folder:  # stores are local files
                return folder
    return runner.work_dir


def find_store(runner: Runner, name: str) -> str:
    """Path of a store beside the checkpoint that is being resumed.

    Args:
        runner (Runner): The runner of the training.
        name (str): The store, as the checkpoint names it.

    Returns:
        str: Its path.

    Raises:
        FileNotFoundError: It lies neither beside the checkpoint nor in the
            work_dir.
    """
    folders = [runner.work_dir]
    resumed = runner._load_from or find_latest_checkpoint(runner.work_dir)
    if resumed and osp.dirname(resumed) != runner.work_dir:
        folders.insert(0, osp.dirname(resumed))
    for folder in folders:
        path = osp.join(folder, osp.basename(name))
        if osp.isfile(path):
            return path
    raise FileNotFoundError(
        f'OAAHook: the checkpoint belongs to {name}, which is not in '
        f'{" or ".join(folders)}. Put it there, or start again without '
        '--resume'
    )


def check_iteration(path: str, note: Mapping[str, str], iters: int) -> None:
    """Make sure that a store was written with the checkpoint.

    Args:
        path (str): The store.
        note (Mapping[str, str]): Its header; `iter` is absent where the name
            of the store says enough.
        iters (int): Iterations of the checkpoint.

    Raises:
        ValueError: It was written at another iteration.
    """
    if note.get('iter', str(iters)) != str(iters):
        raise ValueError(
            f'OAAHook: {path} was written at iteration {note["iter"]}, but '
            f'the checkpoint at iteration {iters}: a longer training has '
            'replaced the store. Resume from a checkpoint of that iteration, '
            'or start again without --resume'
        )


def store_checksum(path: str | os.PathLike) -> str:
    """The checksum that a store has in its header.

    Args:
        path (str | os.PathLike): The store.

    Returns:
        str: Eight hexadecimal digits.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no attention store, or truncated.
    """
    return open_container(path).metadata()['checksum']


def check_belongs(
    path: str, note: Mapping[str, str], checksum: str | None
) -> None:
    """Make sure that a store is the one that the checkpoint was saved with.

    Args:
        path (str): The store.
        note (Mapping[str, str]): Its header. Where the end of a training has
            replaced the store of its last checkpoint, ``replaces`` is the
            checksum of that.
        checksum (str | None): As the checkpoint notes it; None in those of
            older releases.

    Raises:
        ValueError: It is another one.
    """
    if checksum in (None, note['checksum'], note.get('replaces')):
        return
    raise ValueError(
        f'OAAHook: {path} is not the store that the checkpoint was saved with '
        f'(its checksum is {note["checksum"]}, the checkpoint notes '
        f'{checksum}): it is from another run. Put the right one there, or '
        'start again without --resume'
    )
