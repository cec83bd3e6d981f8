"""Checkpoints of mmengine under a torch that loads trusted types only."""

import os
import pickle

import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import nn

from oaa_mm.compat import checkpoint_types
from oaa_mm.runs.cli import run_cli

pytestmark = pytest.mark.skipif(
    not hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint'),
    reason='torch before 2.6 trusts every checkpoint',
)


class Runs:
    """A pickle that calls a function when it is loaded."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        return {'loss': self.layer(inputs).square().mean()}


def train(work_dir):
    """Train two iterations of one epoch."""
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    Runner(
        model,
        str(work_dir),
        train_dataloader={
            'dataset': [{'inputs': torch.ones(1)}, {'inputs': torch.zeros(1)}],
            'sampler': {'type': 'DefaultSampler'},
            'collate_fn': {'type': 'default_collate'},
            'batch_size': 1,
        },
        train_cfg={'by_epoch': True, 'max_epochs': 1},
        optim_wrapper=OptimWrapper(optimizer),
        param_scheduler={'type': 'LinearLR', 'end': 2, 'by_epoch': False},
        default_scope='mmengine',
        experiment_name=work_dir.name,
    ).train()


def load(path):
    with torch.serialization.safe_globals(checkpoint_types()):
        return torch.load(path, weights_only=True)


def test_a_checkpoint_of_a_training_loads_whole(tmp_path):
    train(tmp_path)
    path = tmp_path / 'epoch_1.pth'
    trusted, all_of_it = load(path), torch.load(path, weights_only=False)
    assert trusted.keys() == all_of_it.keys()
    hubs = []
    for checkpoint in (trusted, all_of_it):
        hub = MessageHub(f'hub{len(hubs)}')
        hub.load_state_dict(checkpoint['message_hub'])
        hubs.append(hub)
    loss = [hub.get_scalar('train/loss').mean() for hub in hubs]
    assert loss[0] == loss[1]
    assert 'optimizer' in trusted
    assert 'param_schedulers' in trusted


@pytest.mark.parametrize(
    'foreign',
    [
        Runs(os.system, 'true'),
        Runs(getattr, HistoryBuffer, '__init__'),
        Runs(getattr, HistoryBuffer.mean, '__globals__'),
    ],
    ids=['command', 'method', 'globals'],
)
def test_nothing_else_is_trusted(tmp_path, capsys, foreign):
    torch.save({'state_dict': foreign}, tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        load(tmp_path / 'a.pth')
    with pytest.raises(SystemExit) as end:
        run_cli(lambda: load(tmp_path / 'a.pth'))
    assert end.value.code == 1
    message = capsys.readouterr().err
    assert 'not loaded' in message
    assert 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1' in message
    assert len(message.splitlines()) == 1
