"""Online attention accumulation while a network trains."""

import os.path as osp
import time
from typing import Any

from mmengine.dist import get_world_size, is_main_process, master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.attention.store_names import ACCUMULATED, CURRENT, store_name
from oaa_mm.checks import check_number
from oaa_mm.registry import HOOKS
from oaa_mm.runs.manifest import write_run_manifest

from .batch_attention import AttentionSource
from .clock import EpochClock
from .exchange import EpochExchange
from .oaa_log import log_epoch, log_result
from .store_files import StoreFiles, checkpoint_folder
from .training_data import training_metadata

#: Settings that a resumed training has to share with the earlier one.
SETTINGS = (
    'fusion', 'acceptance', 'threshold', 'norm', 'start_epoch', 'fallback'
)  # fmt: skip


@HOOKS.register_module()
class OAAHook(Hook):
    """Accumulate the attention maps of the training forward passes.

    After each iteration the maps that the forward has computed anyway are
    collected; nothing waits for the device. At the last iteration of an epoch
    they are fused into the memory, before the logger writes its line (priority
    NORMAL), which then shows `oaa_accept_rate`, `oaa_coverage` and
    `oaa_never_accepted`. With each checkpoint the memory is written beside it,
    as ``attention_epoch_{n}.safetensors`` with a manifest, and restored on
    resume. Where an iteration-based training saves a checkpoint in the middle
    of a declared epoch, the file is ``attention_iter_{n}.safetensors``.
    Validation, test and EMA forwards never take part.

    With several processes, each collects the maps of its own batches; the
    memory is in the main process. They are brought together once an epoch
    (and, in an iteration-based training, before a checkpoint and before
    validation); the result is that of one process.

    Args:
        epoch_length (int | None): Iterations that count as an epoch in an
            iteration-based training; at least one pass through the data.
            Defaults to None: only epoch-based training is possible.
        keep_epoch_maps (bool): Also write the maps of each single epoch, as
            ``epoch_maps_{n}.safetensors``. Defaults to False.
        head (str | None): Name of the CAMHead in the model, such as
            ``'auxiliary_head.1'``. Defaults to None: the only one.
        **settings (Any): Arguments of
            :class:`~oaa_mm.attention.AttentionAccumulator`; of several
            choices, the first is the default: `fusion` (``'max'`` or
            ``'mean'``), `acceptance` (``'topk'``, ``'threshold'``,
            ``'all_targets'`` or ``'none'``, see
            :func:`~oaa_mm.attention.accept_pairs`), `threshold` (for
            ``acceptance='threshold'``; 0.1), `norm` (``'max'`` or
            ``'minmax'``), `start_epoch` (the first epoch, from 0, that is
            fused; 1) and `fallback` (``'last'`` or ``'none'``: what pairs get
            that were never accepted).

    Raises:
        ValueError: An argument is out of its range; at the start of training:
            the loop, the model or the data do not fit.
    """

    priority = 'NORMAL'
    #: Whether the latest accepted maps are kept beside the memory.
    keep_latest = False

    def __init__(
        self,
        epoch_length: int | None = None,
        keep_epoch_maps: bool = False,
        head: str | None = None,
        **settings: Any,
    ) -> None:
        self.accumulator = AttentionAccumulator(
            **settings,
            keep_epoch_maps=keep_epoch_maps,
            keep_latest=self.keep_latest,
        )
        self.settings = {n: getattr(self.accumulator, n) for n in SETTINGS}
        if epoch_length is not None:
            check_number('epoch_length', epoch_length, low=1, integer=True)
        self.epoch_length = epoch_length
        self.head = head
        self.source: AttentionSource | None = None  # as the clock
        self.clock: EpochClock | None = None  # from the start of training on
        self._exchange = EpochExchange()
        self._files = StoreFiles(self.accumulator, self.settings)
        self._gathered_at: int | None = None
        self._data: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Refuse, before the first iteration, trainings without such maps.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        self.clock = EpochClock(runner, self.epoch_length)
        self.source = AttentionSource(runner.model, self.head)
        self.clock.check_start(self.accumulator.start_epoch)
        self._data = training_metadata(runner, self.source.head)
        self._exchange.open()
        self.source.head.attention_output = None

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Collect the maps of the iteration; finish an epoch that ends.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Number of the batch in the epoch.
            data_batch (dict): The batch; its `data_samples` lie on the CPU.
            outputs (dict | None): With `loss`; maps of an iteration whose
                loss is NaN or Inf are dropped.
        """
        samples = data_batch['data_samples']
        self.accumulator.epoch = epoch = self.clock.epoch
        self.accumulator.update(**self.source.batch(samples, outputs))
        self.source.head.attention_output = None
        if self.clock.ends_epoch(batch_idx):
            self._finish_epoch(runner, epoch, self.clock.ends_training)
        elif self.clock.saves_now:
            self._gather(runner.iter + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        """Gather all maps: a best checkpoint may be saved after validation.

        Args:
            runner (Runner): The runner of the training.
        """
        if self.clock and self.clock.stops_within_epochs and runner.iter:
            self._gather(runner.iter)

    def _gather(self, iters: int) -> None:
        """Bring all processes' maps to the main one, which saves them."""
        self._exchange.gather(self.accumulator)
        self._gathered_at = iters

    def _finish_epoch(self, runner: Runner, epoch: int, last: bool) -> None:
        start = time.perf_counter()
        self._gather(runner.iter + 1)
        gathered = time.perf_counter()
        if not is_main_process():
            return
        summary = self.accumulator.finish_epoch(epoch, last=last)
        seconds = {'fused': time.perf_counter() - gathered}
        if get_world_size() > 1:
            seconds = {'exchanged': gathered - start, **seconds}
        log_epoch(runner, summary, seconds=seconds)
        self._files.outdate()
        if self.accumulator.keep_epoch_maps:
            name = store_name(CURRENT, epoch + 1)
            path = osp.join(checkpoint_folder(runner), name)
            self.accumulator.epoch_maps.metadata |= self._data
            self.accumulator.epoch_maps.save(path)
            write_run_manifest(runner, path)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the memory beside the checkpoint and note its name in it.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (dict): Gets the entry `oaa`.
        """
        if self.clock is None:
            return  # a checkpoint that is not part of a training
        meta = checkpoint['meta']
        self._warn_of_missing_maps(runner, meta['iter'])
        name = self.clock.store_name(meta['epoch'], meta['iter'])
        metadata = self._metadata(meta['iter'])
        checkpoint['oaa'] = self._files.write(runner, name, metadata)

    def _metadata(self, iters: int) -> dict[str, Any]:
        # The last epoch may be cut short; a longer training that goes on from
        # there ends it again, under the same name.
        more = {'iter': iters} if self.clock.stops_within_epochs else {}
        return {**self._data, **more}

    def _warn_of_missing_maps(self, runner: Runner, iters: int) -> None:
        """Warn of the maps that a checkpoint lacks."""
        if (
            get_world_size() > 1
            and self.clock.stops_within_epochs
            and self._gathered_at != iters
        ):
            runner.logger.warning(
                f'OAAHook: a checkpoint is saved at iteration {iters} outside '
                'of CheckpointHook and validation. Its store lacks the maps '
                'that the other processes have collected in this epoch'
            )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore the memory that belongs to the checkpoint, on resume.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (dict): The checkpoint as it was read.

        Raises:
            FileNotFoundError: The checkpoint's store is missing.
            ValueError: The store is damaged or not the checkpoint's, or the
                settings differ.
        """
        if runner._resume and is_main_process():
            # The other processes send the maps that they collect.
            self._files.restore(runner, checkpoint)

    def after_train(self, runner: Runner) -> None:
        """Write the final memory, also where training ended early.

        Args:
            runner (Runner): The runner of the training.
        """
        epochs = self.clock.epochs_begun
        if self.clock.in_epoch:
            self._finish_epoch(runner, epochs - 1, last=True)
        self._save_result(runner, epochs)

    @master_only
    def _save_result(self, runner: Runner, epochs: int) -> None:
        self.accumulator.apply_fallback()
        name = store_name(ACCUMULATED, epochs)
        self._files.write(runner, name, self._metadata(runner.iter))
        path = osp.join(checkpoint_folder(runner), name)
        log_result(runner, self.accumulator, path)
