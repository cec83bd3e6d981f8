"""Which epoch of the accumulation a training is in, and what ends with it."""

from __future__ import annotations

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from .store_names import ACCUMULATED, WITHIN_EPOCH, store_name


class EpochClock:
    """The clock of an epoch-based training: its epochs are those of the loop.

    Args:
        runner (Runner): The runner of the training.
    """

    #: Whether a checkpoint in the middle of an epoch is where training goes
    #: on; an epoch-based training begins such an epoch anew.
    stops_within_epochs = False

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    @property
    def num_epochs(self) -> int:
        """Epochs of the whole training."""
        return self.runner.max_epochs

    @property
    def length(self) -> str:
        """The settings that give `num_epochs`, for messages."""
        return f'train_cfg.max_epochs={self.runner.max_epochs}'

    def check_start(self, start_epoch: int) -> None:
        """Refuse a training that ends before the accumulation starts.

        Args:
            start_epoch (int): Index, from 0, of the first epoch to be fused.

        Raises:
            ValueError: The training has no such epoch.
        """
        if start_epoch >= self.num_epochs:
            raise ValueError(
                'OAAHook: the accumulation would never start: '
                f'OAAHook.start_epoch={start_epoch} counts from 0, but the '
                f'training has {self.length}. Lower start_epoch below '
                f'{self.num_epochs}, or train longer'
            )

    @property
    def epoch(self) -> int:
        """Index, from 0, of the epoch that the next iteration belongs to."""
        return self.runner.epoch

    @property
    def epochs_begun(self) -> int:
        """Number of epochs that have at least begun, after training."""
        return self.runner.epoch

    @property
    def in_epoch(self) -> bool:
        """Whether a training that is over has ended within an epoch."""
        return False

    def ends_epoch(self, batch_idx: int) -> bool:
        """Tell whether the epoch ends with the iteration that is running.

        Args:
            batch_idx (int): Number of its batch, as hooks get it.

        Returns:
            bool: True with the last iteration of an epoch.
        """
        return batch_idx + 1 == len(self.runner.train_dataloader)

    @property
    def ends_training(self) -> bool:
        """Whether training ends with the epoch that is running."""
        return self.epoch + 1 == self.num_epochs

    @property
    def saves_now(self) -> bool:
        """Whether a checkpoint follows within the epoch that is running."""
        return False

    def store_name(self, epochs: int, iters: int) -> str:
        """Name the store's file of a checkpoint.

        Args:
            epochs (int): Epochs of the loop before the checkpoint.
            iters (int): Iterations before it.

        Returns:
            str: The name of the file.
        """
        return store_name(ACCUMULATED, epochs)


class IterClock(EpochClock):
    """The clock of an iteration-based training, whose epochs are declared.

    The last epoch may be cut short by the end of the training.

    Args:
        runner (Runner): The runner of the training.
        epoch_length (int): Iterations of an epoch.
    """

    stops_within_epochs = True

    def __init__(self, runner: Runner, epoch_length: int) -> None:
        super().__init__(runner)
        self.epoch_length = epoch_length

    @property
    def num_epochs(self) -> int:
        """Declared epochs of the whole training."""
        return -(-self.runner.max_iters // self.epoch_length)

    @property
    def length(self) -> str:
        """The settings that give `num_epochs`, for messages."""
        return (
            f'train_cfg.max_iters={self.runner.max_iters} with '
            f'OAAHook.epoch_length={self.epoch_length}, that is '
            f'{self.num_epochs} of its epochs'
        )

    @property
    def epoch(self) -> int:
        """Index, from 0, of the epoch that the next iteration belongs to."""
        return self.runner.iter // self.epoch_length

    @property
    def epochs_begun(self) -> int:
        """Number of epochs that have at least begun, after training."""
        return -(-self.runner.iter // self.epoch_length)

    @property
    def in_epoch(self) -> bool:
        """Whether a training that is over has ended within an epoch."""
        early = self.runner.iter < self.runner.max_iters
        return early and self.runner.iter % self.epoch_length > 0

    def ends_epoch(self, batch_idx: int) -> bool:
        """Tell whether the epoch ends with the iteration that is running.

        Args:
            batch_idx (int): Not used.

        Returns:
            bool: True with the last iteration of an epoch.
        """
        done = self.runner.iter + 1
        return done % self.epoch_length == 0 or self.ends_training

    @property
    def ends_training(self) -> bool:
        """Whether training ends with the iteration that is running."""
        return self.runner.iter + 1 == self.runner.max_iters

    @property
    def saves_now(self) -> bool:
        """Whether a CheckpointHook saves after the running iteration."""
        return any(
            hook.every_n_train_iters(
                self.runner, hook.interval, hook.save_begin
            )
            for hook in self.runner.hooks
            if isinstance(hook, CheckpointHook) and not hook.by_epoch
        )

    def store_name(self, epochs: int, iters: int) -> str:
        """Name the store's file of a checkpoint.

        Args:
            epochs (int): Not used.
            iters (int): Iterations before the checkpoint.

        Returns:
            str: The name of the file.
        """
        if iters % self.epoch_length and iters != self.runner.max_iters:
            return store_name(WITHIN_EPOCH, iters)
        return super().store_name(-(-iters // self.epoch_length), iters)


def make_clock(runner: Runner, epoch_length: int | None = None) -> EpochClock:
    """Make the clock that fits a training.

    Args:
        runner (Runner): The runner of the training.
        epoch_length (int | None): Iterations that count as an epoch in an
            iteration-based training. Defaults to None: none are declared.

    Returns:
        EpochClock: The clock.

    Raises:
        ValueError: The loop has no epochs and none are declared, or it has
            epochs and others are declared.
    """
    loop = runner.train_loop
    if isinstance(loop, IterBasedTrainLoop):
        _check_epoch_length(runner, epoch_length)
        return IterClock(runner, epoch_length)
    if not isinstance(loop, EpochBasedTrainLoop):
        raise ValueError(
            'OAAHook works with EpochBasedTrainLoop and IterBasedTrainLoop, '
            f'but got {type(loop).__name__}'
        )
    if epoch_length is not None:
        raise ValueError(
            'OAAHook: epoch_length is for IterBasedTrainLoop; an epoch-based '
            'training has its own epochs'
        )
    return EpochClock(runner)


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
