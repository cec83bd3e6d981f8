"""Going on from the newest checkpoint that is whole."""

from __future__ import annotations

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from oaa_mm.registry import HOOKS

from .checkpoints import checkpoint_folders, newest_usable_checkpoint


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
