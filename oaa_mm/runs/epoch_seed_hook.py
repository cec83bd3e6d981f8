"""Random numbers that do not depend on an interruption."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import get_worker_info

from oaa_mm.registry import HOOKS

from .manifest import leaf_datasets


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Draw the random numbers of an epoch from the seed and the epoch alone.

    A checkpoint of mmengine holds no random states, so a resumed training
    would draw other augmentations and dropout than one that went through.
    This hook seeds each process, and each worker of its loader, anew at the
    beginning of an epoch: from the runner's seed, the iterations done and the
    numbers of process and worker. A resumed training of the same settings
    then ends with the same weights, bit for bit. Workers also draw
    differently in each epoch without `persistent_workers`.

    Iteration-based trainings have one epoch only: they are seeded when they
    start and when they resume.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        # Workers that stay alive have a copy of the data set, but share this.
        self._position = torch.zeros(1, dtype=torch.int64).share_memory_()

    def before_train(self, runner: Runner) -> None:
        """Let workers notice when an epoch begins.

        Args:
            runner (Runner): The runner of the training.
        """
        for dataset in leaf_datasets(runner.train_dataloader.dataset):
            pipeline = getattr(dataset, 'pipeline', None)
            if callable(pipeline):
                dataset.pipeline = SeededPipeline(
                    pipeline, self._position, runner.seed, get_rank()
                )

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process.

        Args:
            runner (Runner): The runner of the training.
        """
        self._position.fill_(runner.iter)
        seed_all(runner.seed, runner.iter, get_rank())


@dataclass
class SeededPipeline:
    """A pipeline that seeds its worker when an epoch begins.

    Attributes:
        pipeline (Callable): Takes and returns a sample.
        position (Tensor): (1,) int64 in shared memory: iterations done at the
            beginning of the epoch.
        seed (int): The seed of the runner.
        rank (int): The number of the process whose worker this is.
        seeded_at (int | None): The position at which the worker was seeded.
            Defaults to None: not yet.
    """

    pipeline: Callable
    position: Tensor
    seed: int
    rank: int
    seeded_at: int | None = None

    @property
    def transforms(self) -> list[Callable]:
        """The transforms of the pipeline."""
        return self.pipeline.transforms

    def __call__(self, sample: Any) -> Any:
        """Run the pipeline.

        Args:
            sample (Any): The data set's information on a sample.

        Returns:
            Any: The sample.
        """
        worker, position = get_worker_info(), int(self.position)
        # The main process is seeded by the hook.
        if worker is not None and position != self.seeded_at:
            seed_all(self.seed, position, self.rank, worker.id + 1)
            self.seeded_at = position
        return self.pipeline(sample)


def seed_all(*numbers: int) -> None:
    """Seed Python, NumPy and torch from some numbers.

    Args:
        *numbers (int): Not negative.
    """
    state = np.random.SeedSequence(numbers).generate_state(2)
    random.seed(int(state[0]))
    np.random.seed(int(state[0]))
    torch.manual_seed(int(state[1]))
