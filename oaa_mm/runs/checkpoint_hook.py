"""Checkpoints that are written as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
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
