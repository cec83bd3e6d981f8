"""One training at a time in a work_dir."""

from __future__ import annotations

from contextlib import ExitStack

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.registry import HOOKS

from .work_dir import lock_work_dir


@HOOKS.register_module()
class LockHook(Hook):
    """Refuse a second training in a work_dir.

    For mmseg's own tools/train.py: `tools/train.py` of oaa_mm locks the
    work_dir before it writes anything. With several processes, the main one
    holds the lock.
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
        self._stack.enter_context(lock_work_dir(runner.work_dir))

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Give it back.

        Args:
            runner (Runner): The runner of the training.
        """
        self._stack.close()
