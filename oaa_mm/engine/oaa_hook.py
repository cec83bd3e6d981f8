"""Online attention accumulation while a classifier trains."""

from __future__ import annotations

import os.path as osp
import time
from collections.abc import Sequence
from typing import Any

from mmengine.dist import get_world_size, master_only
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmseg.structures import SegDataSample

from oaa_mm.attention import AttentionAccumulator, AttentionStore
from oaa_mm.checks import check_number
from oaa_mm.registry import HOOKS
from oaa_mm.runs.run_manifest import write_run_manifest

from .batch_attention import batch_attention, unwrap_model
from .exchange import EpochExchange
from .oaa_checks import check_can_accumulate
from .oaa_log import log_epoch, log_result
from .store_files import (
    check_belongs,
    check_iteration,
    checkpoint_folder,
    find_store,
    store_checksum,
)


@HOOKS.register_module()
class OAAHook(Hook):
    """Accumulate the attention maps of the training forward passes.

    After each iteration the maps that the forward has computed anyway are
    collected; nothing waits for the device. By the last iteration of an
    epoch they are fused into the memory, before the logger writes its line
    (priority NORMAL), which then shows `oaa_accept_rate`, `oaa_coverage` and
    `oaa_never_accepted`. With each checkpoint the memory is written beside
    it, as ``attention_epoch_{n}.safetensors`` with a manifest, and restored on
    resume. Where an iteration-based training saves a checkpoint in the middle
    of a declared epoch, the file is ``attention_iter_{n}.safetensors`` and
    also holds what the epoch has collected so far.
    Validation, test and EMA forwards never take part.

    With several processes, each collects the maps of its own batches; the
    memory is in the main process. They are brought together once an epoch
    (and, in an iteration-based training, before a checkpoint and before
    validation); the result is that of one process.

    Args:
        fusion (str): ``'max'`` or ``'mean'``. Defaults to ``'max'``.
        acceptance (str): ``'topk'``, ``'threshold'``, ``'all_targets'`` or
            ``'none'``, see :func:`~oaa_mm.attention.accept_pairs`. Defaults to
            ``'topk'``.
        threshold (float): For ``acceptance='threshold'``. Defaults to 0.1.
        norm (str): ``'max'`` or ``'minmax'``. Defaults to ``'max'``.
        start_epoch (int): First epoch, from 0, that is fused. Defaults to 1.
        fallback (str): ``'last'`` or ``'none'``: what pairs get that were
            never accepted. Defaults to ``'last'``.
        epoch_length (int | None): Iterations that count as an epoch in an
            iteration-based training; at least one pass through the data.
            Defaults to None: only epoch-based training is possible.
        keep_epoch_maps (bool): Also write the maps of each epoch alone, as
            ``epoch_maps_{n}.safetensors``. Defaults to False.

    Raises:
        ValueError: An argument is out of its range; at the start of training:
            the loop, the model or the data do not fit.
    """

    priority = 'NORMAL'
    #: Whether the latest accepted maps are kept beside the memory.
    keep_latest = False

    def __init__(
        self,
        fusion: str = 'max',
        acceptance: str = 'topk',
        threshold: float = 0.1,
        norm: str = 'max',
        start_epoch: int = 1,
        fallback: str = 'last',
        epoch_length: int | None = None,
        keep_epoch_maps: bool = False,
    ) -> None:
        self.settings = {
            'fusion': fusion,
            'acceptance': acceptance,
            'threshold': threshold,
            'norm': norm,
            'start_epoch': start_epoch,
            'fallback': fallback,
        }
        self.accumulator = AttentionAccumulator(
            **self.settings,
            keep_epoch_maps=keep_epoch_maps,
            keep_latest=self.keep_latest,
        )
        if epoch_length is not None:
            check_number('epoch_length', epoch_length, low=1, integer=True)
        self.epoch_length = epoch_length
        self.keep_epoch_maps = keep_epoch_maps
        self._exchange = EpochExchange()
        self._written: str | None = None
        self._checksum: str | None = None
        self._maps_written = 0
        self._gathered_at: int | None = None

    def before_train(self, runner: Runner) -> None:
        """Refuse what cannot be accumulated, before the first iteration.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        model = unwrap_model(runner.model)
        check_can_accumulate(
            runner,
            model,
            start_epoch=self.accumulator.start_epoch,
            epoch_length=self.epoch_length,
        )
        self._exchange.open()
        model.attention_output = None

    @master_only  # the others hand over what they collect
    def before_train_epoch(self, runner: Runner) -> None:
        """Have the maps of the epoch fused as they come.

        Not where a checkpoint may be saved before the epoch's end, since
        its memory would hold a part of the epoch.

        Args:
            runner (Runner): The runner of the training.
        """
        if self.epoch_length is None and not any(
            isinstance(hook, CheckpointHook) and not hook.by_epoch
            for hook in runner.hooks
        ):
            self.accumulator.begin_epoch(runner.epoch)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Collect the maps of the iteration; fuse at the end of an epoch.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Number of the batch in the epoch.
            data_batch (dict): The batch; its `data_samples` lie on the CPU.
            outputs (dict | None): With `loss`; maps of an iteration whose
                loss is NaN or Inf are dropped.
        """
        self._collect(
            unwrap_model(runner.model),
            data_batch['data_samples'],
            (outputs or {}).get('loss', 0.0),
        )
        epoch = self._finished_epoch(runner, batch_idx)
        if epoch is not None:
            self._finish_epoch(runner, epoch, self._is_last(runner, epoch))
        elif self._saves_now(runner):
            self._gather(runner.iter + 1)

    def before_val_epoch(self, runner: Runner) -> None:
        """Gather the maps so far: a best checkpoint may be saved after it.

        Args:
            runner (Runner): The runner of the training.
        """
        if self.epoch_length is not None and runner.iter:
            self._gather(runner.iter)

    def _collect(
        self, model: Any, samples: Sequence[SegDataSample], loss: Any
    ) -> None:
        self.accumulator.update(**batch_attention(model, samples, loss=loss))
        model.attention_output = None

    def _finished_epoch(self, runner: Runner, batch_idx: int) -> int | None:
        """Index of the epoch that ends with this iteration, else None."""
        if self.epoch_length is None:
            last = self.end_of_epoch(runner.train_dataloader, batch_idx)
            return runner.epoch if last else None
        done = runner.iter + 1
        if done % self.epoch_length and done != runner.max_iters:
            return None
        return (done - 1) // self.epoch_length

    def _is_last(self, runner: Runner, epoch: int) -> bool:
        if self.epoch_length is None:
            return epoch + 1 == runner.max_epochs
        return runner.iter + 1 == runner.max_iters

    def _saves_now(self, runner: Runner) -> bool:
        """Whether a checkpoint follows in the middle of an epoch."""
        return self.epoch_length is not None and any(
            hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
            for hook in runner.hooks
            if isinstance(hook, CheckpointHook) and not hook.by_epoch
        )

    def _gather(self, iters: int) -> None:
        """Bring all processes' maps to the main one, which saves them."""
        self._exchange.gather(self.accumulator)
        self._gathered_at = iters

    def _finish_epoch(self, runner: Runner, epoch: int, last: bool) -> None:
        seconds = {}
        start = time.perf_counter()
        self._gather(runner.iter + 1)
        if get_world_size() > 1:
            seconds['exchanged'] = time.perf_counter() - start
        self._fuse(runner, epoch, last, seconds)

    @master_only
    def _fuse(
        self,
        runner: Runner,
        epoch: int,
        last: bool,
        seconds: dict[str, float],
    ) -> None:
        start = time.perf_counter()
        summary = self.accumulator.finish_epoch(epoch, last=last)
        seconds['fused'] = time.perf_counter() - start
        log_epoch(runner, summary, seconds=seconds)
        self._written = None
        if self.keep_epoch_maps:
            name = f'epoch_maps_{epoch + 1}.safetensors'
            path = osp.join(checkpoint_folder(runner), name)
            self.accumulator.epoch_maps.save(path)
            write_run_manifest(runner, path)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Write the memory beside the checkpoint and note its name in it.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (dict): Gets the entry `oaa`.
        """
        if not isinstance(
            runner._train_loop, (EpochBasedTrainLoop, IterBasedTrainLoop)
        ):
            return  # a checkpoint that is not part of a training
        meta = checkpoint['meta']
        name = self._store_name(runner, meta['epoch'], meta['iter'])
        if self._written != name:
            self._check_gathered(runner, meta['iter'])
            self._save(
                runner, osp.join(checkpoint_folder(runner), name), meta['iter']
            )
            self._written = name
        checkpoint['oaa'] = {
            'store': name,
            'checksum': self._checksum,
            'settings': dict(self.settings),
        }

    def _check_gathered(self, runner: Runner, iters: int) -> None:
        """Say what a checkpoint lacks that no known hook announced."""
        if (
            get_world_size() > 1
            and self.epoch_length is not None
            and self._gathered_at != iters
        ):
            runner.logger.warning(
                f'OAAHook: a checkpoint is saved at iteration {iters} outside '
                'of CheckpointHook and validation. Its store lacks the maps '
                'that the other processes have collected in this epoch'
            )

    def _store_name(self, runner: Runner, epochs: int, iters: int) -> str:
        """Name of the store after so many epochs and iterations."""
        if self.epoch_length is not None:
            if iters % self.epoch_length and iters != runner.max_iters:
                return f'attention_iter_{iters}.safetensors'
            epochs = -(-iters // self.epoch_length)
        return f'attention_epoch_{epochs}.safetensors'

    def _save(
        self,
        runner: Runner,
        path: str,
        iters: int,
        note: dict[str, str] | None = None,
    ) -> None:
        note = dict(note or {})
        if self.epoch_length is not None:
            # The last epoch may be cut short; a longer training that goes on
            # from there ends it again, under the same name.
            note['iter'] = str(iters)
        # An epoch-based training begins an unfinished epoch anew.
        self.accumulator.save(
            path, unfinished=self.epoch_length is not None, note=note
        )
        self._checksum = store_checksum(path)
        self._maps_written = len(self.accumulator.store)
        write_run_manifest(runner, path)

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
        if not runner._resume:
            return
        state = checkpoint.get('oaa')
        if state is None:
            runner.logger.warning(
                'OAAHook: the checkpoint was saved without OAAHook, the '
                'accumulation starts from nothing'
            )
            return
        changed = {
            key: (value, self.settings.get(key))
            for key, value in state['settings'].items()
            if self.settings.get(key) != value
        }
        if changed:
            raise ValueError(
                'OAAHook: the checkpoint was accumulated with other settings '
                f'(then, now): {changed}. Resume with the old ones, or start '
                'in another work_dir'
            )
        self._restore(runner, state, checkpoint['meta']['iter'])

    @master_only  # the others hand over what they collect
    def _restore(
        self, runner: Runner, state: dict[str, Any], iters: int
    ) -> None:
        path = find_store(runner, state['store'])
        note = self.accumulator.load(path)
        check_iteration(path, note, iters)
        check_belongs(path, note, state.get('checksum'))
        self._written = state['store']
        self._checksum = state.get('checksum')
        self._maps_written = len(AttentionStore.open(path))
        runner.logger.info(
            f'OAAHook: restored {len(self.accumulator.store)} maps of {path}'
        )

    def after_train(self, runner: Runner) -> None:
        """Write the final memory, also where training ended early.

        Args:
            runner (Runner): The runner of the training.
        """
        epochs = runner.epoch
        if self.epoch_length is not None:
            epochs = -(-runner.iter // self.epoch_length)
            if self._ended_early(runner):
                self._finish_epoch(runner, epochs - 1, last=True)
        self._save_result(runner, epochs)

    def _ended_early(self, runner: Runner) -> bool:
        in_epoch = runner.iter % self.epoch_length
        return bool(in_epoch) and runner.iter < runner.max_iters

    @master_only
    def _save_result(self, runner: Runner, epochs: int) -> None:
        self.accumulator.apply_fallback()
        name = f'attention_epoch_{epochs}.safetensors'
        path = osp.join(checkpoint_folder(runner), name)
        if self._written != name:
            self._save(runner, path, runner.iter)
        elif self._maps_written != len(self.accumulator.store):
            # A checkpoint belongs to what is replaced: it will be known by
            # this note.
            note = {'replaces': self._checksum} if self._checksum else None
            self._save(runner, path, runner.iter, note)
        log_result(runner, self.accumulator, path)
