"""Online attention accumulation while a classifier trains."""

from __future__ import annotations

import os.path as osp
import time
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import get_world_size, master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmseg.structures import SegDataSample

from oaa_mm.attention import AttentionAccumulator, EpochSummary, Placement
from oaa_mm.engine.run_manifest import write_run_manifest
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
    resume.
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
        model = _unwrap(runner.model)
        if not hasattr(model, 'attention_output'):
            raise ValueError(
                'OAAHook needs a CAMClassifier, but got '
                f'{type(model).__name__}: only a classifier tells which maps '
                'to trust. Remove OAAHook from `custom_hooks`'
            )
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
        self._collect(_unwrap(runner.model), data_batch['data_samples'])
        epoch = self._finished_epoch(runner, batch_idx)
        if epoch is not None:
            self._finish_epoch(runner, epoch)

    def _collect(self, model: Any, samples: Sequence[SegDataSample]) -> None:
        output = model.attention_output
        if output is None or len(output.scores) != len(samples):
            raise ValueError(
                'OAAHook: the model left no maps of this iteration; forward '
                "has to run in mode='loss' exactly once"
            )
        model.attention_output = None
        self.accumulator.update(
            [_metainfo(sample, 'image_id') for sample in samples],
            output.scores,
            torch.stack([sample.gt_label for sample in samples]),
            logits=output.logits,
            valid=output.valid,
            placements=[_placement(sample, model) for sample in samples],
        )

    def _finished_epoch(self, runner: Runner, batch_idx: int) -> int | None:
        """Index of the epoch that ends with this iteration, else None."""
        if self.epoch_length is None:
            last = self.end_of_epoch(runner.train_dataloader, batch_idx)
            return runner.epoch if last else None
        done = runner.iter + 1
        if done % self.epoch_length and done != runner.max_iters:
            return None
        return (done - 1) // self.epoch_length

    def _finish_epoch(self, runner: Runner, epoch: int) -> None:
        if self.epoch_length is None:
            last = epoch + 1 == runner.max_epochs
        else:
            last = runner.iter + 1 == runner.max_iters
        start = time.perf_counter()
        summary = self.accumulator.finish_epoch(epoch, last=last)
        self._log(runner, summary, time.perf_counter() - start)
        self._written = None
        if self.keep_epoch_maps:
            name = f'epoch_maps_{epoch + 1}.safetensors'
            self._save_epoch_maps(runner, osp.join(runner.work_dir, name))

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
        kind = 'epoch' if self.epoch_length is None else 'iter'
        name = f'attention_{kind}_{meta[kind]}.safetensors'
        if self._written != name:
            self._save(runner, osp.join(runner.work_dir, name))
            self._written = name
        checkpoint['oaa'] = {'store': name, 'settings': dict(self.settings)}

    @master_only
    def _save(self, runner: Runner, path: str) -> None:
        self.accumulator.save(path)
        write_run_manifest(runner, path)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Restore the memory that belongs to the checkpoint, on resume.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (dict): The checkpoint as it was read.

        Raises:
            FileNotFoundError: The checkpoint's store is missing.
            ValueError: The store is damaged, or the settings differ.
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
        path = _find_store(runner, state['store'])
        self.accumulator.load(path)
        runner.logger.info(
            f'OAAHook: restored {len(self.accumulator.store)} maps of {path}'
        )

    def after_train(self, runner: Runner) -> None:
        """Write the final memory, also where training ended early.

        Args:
            runner (Runner): The runner of the training.
        """
        self.accumulator.apply_fallback()
        done = runner.epoch if self.epoch_length is None else runner.iter
        kind = 'epoch' if self.epoch_length is None else 'iter'
        name = f'attention_{kind}_{done}.safetensors'
        path = osp.join(runner.work_dir, name)
        self._save(runner, path)
        missing = len(self.accumulator.store)
        runner.logger.info(f'OAA: {missing} accumulated maps in {path}')


def _unwrap(model: Any) -> Any:
    return model.module if is_model_wrapper(model) else model


def _metainfo(sample: SegDataSample, key: str) -> Any:
    if key not in sample.metainfo:
        raise ValueError(
            f'OAAHook needs `{key}` in the metainfo of every training sample: '
            'use an ImageLevelDataset whose pipeline ends with '
            'PackImageLevelInputs'
        )
    return sample.metainfo[key]


def _placement(sample: SegDataSample, model: Any) -> Placement:
    placement = _metainfo(sample, 'placement')
    return placement.on_grid(model.feature_size(placement.frame))


def _find_store(runner: Runner, name: str) -> str:
    """Path of a store beside the checkpoint that is being resumed."""
    folders = [runner.work_dir]
    if runner._load_from:
        folders.insert(0, osp.dirname(runner._load_from))
    for folder in folders:
        path = osp.join(folder, osp.basename(name))
        if osp.isfile(path):
            return path
    raise FileNotFoundError(
        f'OAAHook: the checkpoint belongs to {name}, which is not in '
        f'{" or ".join(folders)}. Put it there, or start again without '
        '--resume'
    )
