"""One training at a time in a work_dir."""

from __future__ import annotations

from contextlib import ExitStack

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.registry import HOOKS

from .lock import lock_folder


@HOOKS.register_module()
class LockHook(Hook):
    """Refuse a second training in a work_dir.

    `tools/train.py` of oaa_mm takes the same lock earlier, before anything is
    written; this hook takes it under any other train.py. With several
    processes, the main one holds the lock.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._stack = ExitStack()

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Take the lock.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            FolderInUseError: Another training works there; it is named.
        """
        self._stack.enter_context(lock_folder(runner.work_dir, 'train'))

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Release the lock.

        Args:
            runner (Runner): The runner of the training.
        """
        self._stack.close()
