"""Random numbers of an epoch, whatever came before it."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from test_oaa_hook import (
    data_root,  # noqa: F401 (a fixture)
    make_config,
)
from torch.utils.data import DataLoader, Dataset

from oaa_mm.runs.epoch_seed_hook import EpochSeedHook


class Draws(Dataset):
    """Draws from every generator in its pipeline."""

    def __init__(self):
        self.pipeline = lambda sample: (
            sample,
            random.random(),
            np.random.rand(),
            torch.rand(()).item(),
        )

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return self.pipeline(index)


def epochs(begin, end, workers, persistent, seed=3):
    """What each epoch draws, in a training that begins at one."""
    loader = DataLoader(
        Draws(),
        batch_size=2,
        num_workers=workers,
        persistent_workers=persistent,
        multiprocessing_context='fork' if workers else None,
    )
    runner = SimpleNamespace(train_dataloader=loader, seed=seed, iter=0)
    hook = EpochSeedHook()
    hook.before_train(runner)
    drawn = []
    for epoch in range(begin, end):
        runner.iter = 4 * epoch
        hook.before_train_epoch(runner)
        batches = [torch.stack([t.double() for t in b]) for b in loader]
        drawn.append(torch.cat(batches, 1))
    return drawn


@pytest.mark.parametrize(
    ('workers', 'persistent'), [(0, False), (2, False), (2, True)]
)
def test_an_epoch_draws_the_same_after_an_interruption(workers, persistent):
    whole = epochs(0, 3, workers, persistent)
    resumed = epochs(2, 3, workers, persistent)
    assert torch.equal(whole[2], resumed[0])
    for first, second in ((0, 1), (1, 2), (0, 2)):
        same = (whole[first] == whole[second]).all(1)
        assert same.tolist() == [True, False, False, False]
    assert len(whole[0][1].unique()) == 8  # workers differ from each other
    other = epochs(0, 1, workers, persistent, seed=4)[0]
    assert not torch.equal(other, whole[0])


def test_weights_after_a_resume_are_those_without(data_root, tmp_path):  # noqa: F811
    def train(name, epochs, **changes):
        cfg = make_config(data_root, tmp_path / name, epochs=epochs, flip=True)
        cfg.default_hooks.seed = {'type': 'oaa_mm.EpochSeedHook'}
        cfg.merge_from_dict(changes)
        runner = Runner.from_cfg(cfg)
        runner.train()
        return runner.model.state_dict()

    whole = train('whole', 3)
    train('parts', 2)
    parts = train('parts', 3, resume=True)
    assert all(torch.equal(whole[key], parts[key]) for key in whole)
    final = 'attention_epoch_3.safetensors'
    assert (tmp_path / 'whole' / final).read_bytes() == (
        tmp_path / 'parts' / final
    ).read_bytes()
