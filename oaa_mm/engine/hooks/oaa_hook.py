"""Online attention accumulation while a classifier trains."""

from __future__ import annotations

import os.path as osp
import time
from collections.abc import Sequence
from typing import Any

from mmengine.dist import get_world_size, master_only
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmseg.structures import SegDataSample

from oaa_mm.attention import AttentionAccumulator, EpochSummary
from oaa_mm.engine.batch_attention import batch_attention, unwrap_model
from oaa_mm.engine.run_manifest import write_run_manifest
from oaa_mm.engine.store_files import (
    check_iteration,
    checkpoint_folder,
    find_store,
)
from oaa_mm.registry import HOOKS

__all__ = ['OAAHook']


@HOOKS.register_module()
class OAAHook(Hook):
    """Accumulate the attention maps of the training forward passes.

    After each iteration the maps that the forward has computed anyway are
    collected; nothing waits for the device. With the last iteration of an
    epoch they are fused into the memory, before the logger writes its line
    (priority NORMAL), which then shows `oaa_accept_rate`, `oaa_coverage` and
    `oaa_never_accepted`. With each checkpoint the memory is written beside
    it, as ``attention_epoch_{n}.safetensors`` with a manifest, and restored on
    resume. Where an iteration-based training saves a checkpoint in the middle
    of a declared epoch, the file is ``attention_iter_{n}.safetensors`` and
    also holds what the epoch has collected so far.
    Validation, test and EMA forwards never take part.

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
            **self.settings, keep_epoch_maps=keep_epoch_maps
        )
        if epoch_length is not None and epoch_length < 1:
            raise ValueError(
                f'epoch_length counts iterations, but got {epoch_length}'
            )
        self.epoch_length = epoch_length
        self.keep_epoch_maps = keep_epoch_maps
        self._written: str | None = None

    def before_train(self, runner: Runner) -> None:
        """Refuse what cannot be accumulated, before the first iteration.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        loop = runner.train_loop
        if isinstance(loop, IterBasedTrainLoop):
            self._check_epoch_length(runner)
        elif not isinstance(loop, EpochBasedTrainLoop):
            raise ValueError(
                'OAAHook works with EpochBasedTrainLoop and '
                f'IterBasedTrainLoop, but got {type(loop).__name__}'
            )
        elif self.epoch_length is not None:
            raise ValueError(
                'OAAHook: epoch_length is for IterBasedTrainLoop; an '
                'epoch-based training has its own epochs'
            )
        model = unwrap_model(runner.model)
        if not hasattr(model, 'attention_output'):
            raise ValueError(
                'OAAHook needs a CAMClassifier, but got '
                f'{type(model).__name__}: only a classifier tells which maps '
                'to trust. Remove OAAHook from `custom_hooks`'
            )
        self._check_start(runner)
        if get_world_size() > 1:
            raise ValueError(
                'OAAHook accumulates in one process only, but '
                f'{get_world_size()} were started: use --launcher none'
            )
        model.attention_output = None

    def _check_epoch_length(self, runner: Runner) -> None:
        if self.epoch_length is None:
            raise ValueError(
                'OAAHook: an iteration-based training has no epochs. Set '
                'OAAHook.epoch_length to the iterations that count as one '
                f'({len(runner.train_dataloader)} is one pass through the '
                'data), or use train_cfg=dict(type=EpochBasedTrainLoop, ...)'
            )
        if self.epoch_length < len(runner.train_dataloader):
            runner.logger.warning(
                f'OAAHook: epoch_length={self.epoch_length} is less than one '
                f'pass through the data ({len(runner.train_dataloader)} '
                'iterations): an epoch does not see every image'
            )

    def _check_start(self, runner: Runner) -> None:
        if self.epoch_length is None:
            epochs = runner.max_epochs
            length = f'train_cfg.max_epochs={epochs}'
        else:
            epochs = -(-runner.max_iters // self.epoch_length)
            length = (
                f'train_cfg.max_iters={runner.max_iters} with '
                f'OAAHook.epoch_length={self.epoch_length}, that is {epochs} '
                'of its epochs'
            )
        start = self.accumulator.start_epoch
        if start >= epochs:
            raise ValueError(
                'OAAHook: the accumulation would never start: '
                f'OAAHook.start_epoch={start} counts from 0, but the training '
                f'has {length}. Lower start_epoch below {epochs}, or train '
                'longer'
            )

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
            outputs (dict | None): Not used.
        """
        self._collect(unwrap_model(runner.model), data_batch['data_samples'])
        epoch = self._finished_epoch(runner, batch_idx)
        if epoch is not None:
            self._finish_epoch(runner, epoch, self._is_last(runner, epoch))

    def _collect(self, model: Any, samples: Sequence[SegDataSample]) -> None:
        self.accumulator.update(**batch_attention(model, samples))
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

    def _finish_epoch(self, runner: Runner, epoch: int, last: bool) -> None:
        start = time.perf_counter()
        summary = self.accumulator.finish_epoch(epoch, last=last)
        self._log(runner, summary, time.perf_counter() - start)
        self._written = None
        if self.keep_epoch_maps:
            name = f'epoch_maps_{epoch + 1}.safetensors'
            self._save_epoch_maps(
                runner, osp.join(checkpoint_folder(runner), name)
            )

    @master_only
    def _save_epoch_maps(self, runner: Runner, path: str) -> None:
        self.accumulator.epoch_maps.save(path)
        write_run_manifest(runner, path)

    def _log(
        self, runner: Runner, summary: EpochSummary, seconds: float
    ) -> None:
        for name in ('accept_rate', 'coverage', 'never_accepted'):
            runner.message_hub.update_scalar(
                f'train/oaa_{name}', getattr(summary, name)
            )
        runner.logger.info(
            f'OAA epoch {summary.epoch + 1}: accepted {summary.accepted} of '
            f'{summary.pairs} maps ({summary.accept_rate:.1%}), coverage '
            f'{summary.coverage:.4f}, never accepted '
            f'{summary.never_accepted}, fused in {seconds:.2f} s'
        )
        if summary.non_finite:
            runner.logger.warning(
                f'OAA epoch {summary.epoch + 1}: {summary.non_finite} maps '
                'held NaN or Inf and were dropped'
            )
        if summary.all_zero:
            runner.logger.warning(
                f'OAA epoch {summary.epoch + 1}: {summary.all_zero} '
                'accumulated maps are zero everywhere; what is trained on '
                'them takes their class for absent'
            )

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
            self._save(
                runner, osp.join(checkpoint_folder(runner), name), meta['iter']
            )
            self._written = name
        checkpoint['oaa'] = {'store': name, 'settings': dict(self.settings)}

    def _store_name(self, runner: Runner, epochs: int, iters: int) -> str:
        """Name of the store after so many epochs and iterations."""
        if self.epoch_length is not None:
            if iters % self.epoch_length and iters != runner.max_iters:
                return f'attention_iter_{iters}.safetensors'
            epochs = -(-iters // self.epoch_length)
        return f'attention_epoch_{epochs}.safetensors'

    @master_only
    def _save(self, runner: Runner, path: str, iters: int) -> None:
        note = None
        if self.epoch_length is not None:
            # The last epoch may be cut short; a longer training that goes on
            # from there ends it again, under the same name.
            note = {'iter': str(iters)}
        # An epoch-based training begins an unfinished epoch anew.
        self.accumulator.save(
            path, unfinished=self.epoch_length is not None, note=note
        )
        write_run_manifest(runner, path)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore the memory that belongs to the checkpoint, on resume.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (dict): The checkpoint as it was read.

        Raises:
            FileNotFoundError: The checkpoint's store is missing.
            ValueError: The store is damaged or of another iteration, or the
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
            key: (value, self.settings[key])
            for key, value in state['settings'].items()
            if self.settings.get(key) != value
        }
        if changed:
            raise ValueError(
                'OAAHook: the checkpoint was accumulated with other settings '
                f'(then, now): {changed}. Resume with the old ones, or start '
                'in another work_dir'
            )
        path = find_store(runner, state['store'])
        note = self.accumulator.load(path)
        check_iteration(path, note, checkpoint['meta']['iter'])
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
            if self.accumulator.collecting:  # training ended early
                self._finish_epoch(runner, epochs - 1, last=True)
        self.accumulator.apply_fallback()
        name = f'attention_epoch_{epochs}.safetensors'
        path = osp.join(checkpoint_folder(runner), name)
        self._save(runner, path, runner.iter)
        self._log_result(runner, path)

    def _log_result(self, runner: Runner, path: str) -> None:
        maps = len(self.accumulator.store)
        runner.logger.info(f'OAA: {maps} accumulated maps in {path}')
        never = self.accumulator.never_accepted
        if not never:
            return
        if self.accumulator.fallback == 'last':
            fate = f'so {never} of the {maps} maps are fallback maps'
        else:
            fate = "so they have no map (fallback='none')"
        runner.logger.warning(
            f'OAA: the classifier was never sure of {never} labelled (image, '
            f'class) pairs, {fate}'
        )
