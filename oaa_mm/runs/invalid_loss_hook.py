"""Stopping a training whose loss is NaN or Inf."""

from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from oaa_mm.checks import check_number
from oaa_mm.registry import HOOKS


@HOOKS.register_module()
class InvalidLossHook(Hook):
    """Stop a training whose loss has been NaN or Inf for too long.

    One such loss is enough to turn all weights into NaN where no scaler of
    gradients skips the step, and nothing mends them. Whether a
    loss is valid is noted on its device and looked at once in `interval`
    iterations and at the end of an epoch, so that no iteration waits for the
    device. A checkpoint of weights that are NaN or Inf is never written:
    the last good one stays the latest.

    Args:
        patience (int): Iterations in a row with such a loss that stop the
            training. Fewer give a warning. Defaults to 10.
        interval (int): Iterations between two looks, LoggerHook's interval
            in the shipped configs. Defaults to 50.

    Raises:
        ValueError: An argument is not positive; during training: the loss has
            been NaN or Inf for `patience` iterations, or weights are.
    """

    priority = 'ABOVE_NORMAL'  # before the hooks that save and fuse

    def __init__(self, patience: int = 10, interval: int = 50) -> None:
        for name, value in (('patience', patience), ('interval', interval)):
            name = f'InvalidLossHook: {name}'
            check_number(name, value, low=1, integer=True)
        self.patience = patience
        self.interval = interval
        self._in_a_row = 0
        # Since the last look, on the device of the losses.
        self._invalid: list[Tensor] = []

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Note whether the loss is valid; look at the notes now and then.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Number of the batch in the epoch.
            data_batch (Any): Not used.
            outputs (dict | None): With `loss`.
        """
        loss = (outputs or {}).get('loss')
        if loss is not None:
            finite = torch.as_tensor(loss).detach().isfinite().all()
            self._invalid.append(~finite)
        due = self.every_n_train_iters(runner, self.interval)
        if due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._look(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to save weights that are NaN or Inf.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (dict): The checkpoint that is about to be written.

        Raises:
            ValueError: Weights are NaN or Inf; they are named.
        """
        model = runner.model
        parameters = model.named_parameters()
        broken = [n for n, p in parameters if not p.isfinite().all()]
        # Inf may be meant in a buffer, as in a mask of attention.
        broken += [n for n, b in model.named_buffers() if b.isnan().any()]
        if broken:
            raise ValueError(
                f'{len(broken)} of the weights are NaN or Inf, {broken[0]} '
                'among them, so no checkpoint was written: the last one is '
                f'still good. {_REMEDY}'
            )

    def _look(self, runner: Runner) -> None:
        if not self._invalid:
            return
        invalid = torch.stack(self._invalid).int()
        self._invalid = []
        # A process whose loss is bad has spoilt the weights of all.
        all_reduce(invalid, 'max')
        longest = 0
        for bad in invalid.tolist():
            self._in_a_row = (self._in_a_row + 1) * bad
            longest = max(longest, self._in_a_row)
        if longest >= self.patience:
            raise ValueError(
                f'the loss was NaN or Inf for {longest} iterations in a row '
                f'(InvalidLossHook.patience={self.patience}), so training '
                f'stopped at iteration {runner.iter + 1}. Their maps were '
                f'not accumulated. {_REMEDY}'
            )
        if invalid.any():
            runner.logger.warning(
                f'the loss was NaN or Inf in {int(invalid.sum())} iterations '
                f'up to {runner.iter + 1}; {self.patience} in a row stop the '
                'training'
            )


#: The remedies for such losses.
_REMEDY = (
    'Set optim_wrapper.clip_grad=dict(max_norm=10) and go on with --resume, '
    'start anew with a lower optim_wrapper.optimizer.lr, or look for broken '
    'images with tools/check_dataset.py'
)
