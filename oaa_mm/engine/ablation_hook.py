"""Several ways to accumulate, compared in one training."""

import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.registry import HOOKS
from oaa_mm.runs.manifest import write_run_manifest

from .batch_attention import AttentionSource
from .clock import EpochClock
from .training_data import training_metadata


@HOOKS.register_module()
class OAAAblationHook(Hook):
    """Accumulate the same attention maps under several settings at once.

    For studies: all variants see the very same maps, so that only the
    accumulation differs, and one training serves them all. After it, each
    variant is in ``WORK_DIR/{name}.safetensors``. It works with or without an
    OAAHook. It needs a training in one process, and cannot resume.

    Args:
        variants (Mapping[str, Mapping[str, Any]]): Name of a variant -> its
            arguments of :class:`~oaa_mm.attention.AttentionAccumulator`.
        epoch_length (int | None): Iterations that count as an epoch in an
            iteration-based training. Defaults to None.
        head (str | None): Name of the CAMHead in the model, as in OAAHook.
            Defaults to None: the only one.

    Raises:
        ValueError: An argument is out of its range; at the start of training:
            it is resumed, has several processes, or its epochs are unknown.
    """

    priority = 'ABOVE_NORMAL'  # before OAAHook, which takes the maps away

    def __init__(
        self,
        variants: Mapping[str, Mapping[str, Any]],
        epoch_length: int | None = None,
        head: str | None = None,
    ) -> None:
        if not variants:
            raise ValueError('OAAAblationHook needs at least one variant')
        self.accumulators = {
            name: AttentionAccumulator(**settings)
            for name, settings in variants.items()
        }
        self.epoch_length = epoch_length
        self.head = head

    def before_train(self, runner: Runner) -> None:
        """Refuse trainings that would give wrong comparisons.

        Args:
            runner (Runner): The runner of the training.

        Raises:
            ValueError: See the class.
        """
        self.clock = EpochClock(runner, self.epoch_length)
        self.source = AttentionSource(runner.model, self.head)
        if runner.iter or get_world_size() > 1:
            raise ValueError(
                'OAAAblationHook has to see a training from its first epoch '
                'on, in one process: start again without --resume and '
                '--launcher'
            )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Hand the maps to every variant; fuse at the end of an epoch.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Number of the batch in the epoch.
            data_batch (dict): The batch.
            outputs (dict | None): With `loss`, see OAAHook.
        """
        batch = self.source.batch(data_batch['data_samples'], outputs)
        for name, accumulator in self.accumulators.items():
            accumulator.update(**batch)
            if self.clock.ends_epoch(batch_idx):
                summary = accumulator.finish_epoch(
                    self.clock.epoch, last=self.clock.ends_training
                )
                runner.logger.info(f'{name}: {summary}')

    def after_train(self, runner: Runner) -> None:
        """Write the store of every variant.

        Args:
            runner (Runner): The runner of the training.
        """
        metadata = training_metadata(runner, self.source.head)
        for name, accumulator in self.accumulators.items():
            accumulator.store.metadata |= metadata
            path = osp.join(runner.work_dir, f'{name}.safetensors')
            accumulator.store.save(path)
            write_run_manifest(runner, path)
