"""The epochs of an accumulation, under loops of epochs or iterations."""

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from oaa_mm.attention.store_names import ACCUMULATED, WITHIN_EPOCH, store_name


class EpochClock:
    """The epochs of a training: those of its loop, or declared ones.

    The clock counts in steps: epochs of an epoch-based loop, iterations of an
    iteration-based one. An epoch is one step of the former and `epoch_length`
    steps of the latter, whose last epoch may be cut short by the end of the
    training.

    Args:
        runner (Runner): The runner of the training.
        epoch_length (int | None): Iterations that count as an epoch in an
            iteration-based training. Defaults to None: none are declared.

    Attributes:
        stops_within_epochs (bool): Whether a checkpoint in the middle of an
            epoch is where training goes on; an epoch-based training begins
            such an epoch anew.

    Raises:
        ValueError: The loop has no epochs and none are declared, or it has
            epochs and others are declared.
    """

    def __init__(
        self, runner: Runner, epoch_length: int | None = None
    ) -> None:
        loop = runner.train_loop
        self.runner = runner
        self.stops_within_epochs = isinstance(loop, IterBasedTrainLoop)
        self._step = 'iter' if self.stops_within_epochs else 'epoch'
        self._length = epoch_length or 1
        if self.stops_within_epochs:
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

    @property
    def _done(self) -> int:
        return getattr(self.runner, self._step)

    @property
    def _steps(self) -> int:
        return getattr(self.runner, f'max_{self._step}s')

    def _epochs(self, steps: int) -> int:
        return -(-steps // self._length)  # rounded up

    def check_start(self, start_epoch: int) -> None:
        """Refuse a training that ends before the accumulation starts.

        Args:
            start_epoch (int): Index, from 0, of the first epoch to be fused.

        Raises:
            ValueError: The training has no such epoch.
        """
        epochs = self._epochs(self._steps)
        if start_epoch >= epochs:
            length = f'train_cfg.max_{self._step}s={self._steps}'
            if self.stops_within_epochs:
                length += f' with OAAHook.epoch_length={self._length}, '
                length += f'that is {epochs} of its epochs'
            raise ValueError(
                'OAAHook: the accumulation would never start: '
                f'OAAHook.start_epoch={start_epoch} counts from 0, but the '
                f'training has {length}. Lower start_epoch below {epochs}, or '
                'train longer'
            )

    @property
    def epoch(self) -> int:
        """Index, from 0, of the epoch that the next iteration belongs to."""
        return self._done // self._length

    @property
    def epochs_begun(self) -> int:
        """Number of epochs that have at least begun, after training."""
        return self._epochs(self._done)

    @property
    def in_epoch(self) -> bool:
        """Whether a training that is over has ended within an epoch."""
        return self._done < self._steps and self._done % self._length > 0

    def ends_epoch(self, batch_idx: int) -> bool:
        """Tell whether the epoch ends with the iteration that is running.

        Args:
            batch_idx (int): Number of its batch, as hooks get it.

        Returns:
            bool: True with the last iteration of an epoch.
        """
        if not self.stops_within_epochs:
            return batch_idx + 1 == len(self.runner.train_dataloader)
        return (self._done + 1) % self._length == 0 or self.ends_training

    @property
    def ends_training(self) -> bool:
        """Whether training ends with the step that is running."""
        return self._done + 1 == self._steps

    @property
    def saves_now(self) -> bool:
        """Whether a CheckpointHook saves now, in the middle of an epoch."""
        return self.stops_within_epochs and any(
            hook.every_n_train_iters(
                self.runner, hook.interval, hook.save_begin
            )
            for hook in self.runner.hooks
            if isinstance(hook, CheckpointHook) and not hook.by_epoch
        )

    def store_name(self, epochs: int, iters: int) -> str:
        """Name the store's file of a checkpoint.

        Args:
            epochs (int): Epochs of the loop before the checkpoint.
            iters (int): Iterations before it.

        Returns:
            str: The name of the file.
        """
        done = iters if self.stops_within_epochs else epochs
        if done % self._length and done != self._steps:
            return store_name(WITHIN_EPOCH, done)
        return store_name(ACCUMULATED, self._epochs(done))


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
