"""What OAAHook refuses before the first iteration of a training."""

from __future__ import annotations

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch import nn


def check_can_accumulate(
    runner: Runner,
    model: nn.Module,
    *,
    start_epoch: int,
    epoch_length: int | None,
) -> None:
    """Refuse a training whose maps cannot be accumulated.

    Args:
        runner (Runner): The runner of the training.
        model (nn.Module): Its model, without a wrapper.
        start_epoch (int): First epoch, from 0, that is to be fused.
        epoch_length (int | None): Iterations that count as an epoch; None for
            an epoch-based training.

    Raises:
        ValueError: The loop, the model or the schedule do not fit.
    """
    _check_loop(runner, epoch_length)
    if not hasattr(model, 'attention_output'):
        raise ValueError(
            'OAAHook needs a CAMClassifier, but got '
            f'{type(model).__name__}: only a classifier tells which maps '
            'to trust. Remove OAAHook from `custom_hooks`'
        )
    _check_start(runner, start_epoch, epoch_length)


def _check_loop(runner: Runner, epoch_length: int | None) -> None:
    loop = runner.train_loop
    if isinstance(loop, IterBasedTrainLoop):
        _check_epoch_length(runner, epoch_length)
    elif not isinstance(loop, EpochBasedTrainLoop):
        raise ValueError(
            'OAAHook works with EpochBasedTrainLoop and '
            f'IterBasedTrainLoop, but got {type(loop).__name__}'
        )
    elif epoch_length is not None:
        raise ValueError(
            'OAAHook: epoch_length is for IterBasedTrainLoop; an '
            'epoch-based training has its own epochs'
        )


def _check_epoch_length(runner: Runner, epoch_length: int | None) -> None:
    loader = runner.train_dataloader
    one_pass = len(loader)
    if isinstance(loader.sampler, InfiniteSampler):
        # Its length is that of the data, not of this process's share.
        one_pass = -(-one_pass // get_world_size())
    if epoch_length is None:
        raise ValueError(
            'OAAHook: an iteration-based training has no epochs. Set '
            'OAAHook.epoch_length to the iterations that count as one '
            f'({one_pass} is one pass through the data), or use '
            'train_cfg=dict(type=EpochBasedTrainLoop, ...)'
        )
    if epoch_length < one_pass:
        runner.logger.warning(
            f'OAAHook: epoch_length={epoch_length} is less than one pass '
            f'through the data ({one_pass} iterations): an epoch does not '
            'see every image'
        )


def _check_start(
    runner: Runner, start_epoch: int, epoch_length: int | None
) -> None:
    if epoch_length is None:
        epochs = runner.max_epochs
        length = f'train_cfg.max_epochs={epochs}'
    else:
        epochs = -(-runner.max_iters // epoch_length)
        length = (
            f'train_cfg.max_iters={runner.max_iters} with '
            f'OAAHook.epoch_length={epoch_length}, that is {epochs} '
            'of its epochs'
        )
    if start_epoch >= epochs:
        raise ValueError(
            'OAAHook: the accumulation would never start: '
            f'OAAHook.start_epoch={start_epoch} counts from 0, but the '
            f'training has {length}. Lower start_epoch below {epochs}, or '
            'train longer'
        )
