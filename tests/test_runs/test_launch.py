"""Getting a config ready for the processes of a launcher."""

import os

import pytest
from mmengine.config import Config, ConfigDict
from torch import nn

from oaa_mm.runs import launch
from oaa_mm.runs.launch import prepare_launch, replace_sync_bn


def test_sync_bn_is_replaced_wherever_it_is():
    cfg = ConfigDict(
        {
            'backbone': {'norm_cfg': {'type': 'SyncBN', 'eps': 1e-3}},
            'heads': [
                {'norm_cfg': {'type': 'SyncBN'}},
                {'norm_cfg': {'type': 'GN'}},
            ],
        }
    )
    assert replace_sync_bn(cfg) == 2
    assert cfg.backbone.norm_cfg == {'type': 'BN', 'eps': 1e-3}
    assert [head.norm_cfg.type for head in cfg.heads] == ['BN', 'GN']
    classes = {'norm_cfg': {'type': nn.SyncBatchNorm}}
    assert replace_sync_bn(classes) == 1


@pytest.mark.parametrize(
    ('launcher', 'who'),
    [('pytorch', 'torchrun'), ('slurm', 'srun'), ('mpi', 'mpirun')],
)
def test_a_launcher_that_did_not_start_this(monkeypatch, launcher, who):
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        monkeypatch.delenv(name, raising=False)
    cfg = Config({'launcher': launcher, 'model': {}})
    with pytest.raises(ValueError, match=f'not set. .*{who}.* sets it'):
        prepare_launch(cfg)


def test_mpi_needs_the_first_machine(monkeypatch):
    monkeypatch.setenv('OMPI_COMM_WORLD_RANK', '0')
    monkeypatch.delenv('MASTER_ADDR', raising=False)
    cfg = Config({'launcher': 'mpi', 'model': {}})
    with pytest.raises(ValueError, match='MASTER_ADDR'):
        prepare_launch(cfg)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (
            {'find_unused_parameters': True},
            {
                'type': 'MMDistributedDataParallel',
                'broadcast_buffers': False,
                'find_unused_parameters': True,
                'device_ids': None,
            },
        ),
        (
            {'model_wrapper_cfg': {'type': 'Mine', 'x': 1}},
            {'type': 'Mine', 'x': 1, 'device_ids': None},
        ),
    ],
)
def test_models_are_wrapped_for_the_cpu(monkeypatch, given, expected):
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setattr(launch, '_connect', lambda *args: None)
    cfg = Config({'launcher': 'pytorch', 'model': {}, 'sync_bn': 'torch'})
    cfg.update(given)
    prepare_launch(cfg)
    assert cfg.model_wrapper_cfg == expected
    assert 'sync_bn' not in cfg


@pytest.mark.parametrize(
    ('launcher', 'given', 'expected'),
    [
        ('pytorch', {}, '5'),
        ('pytorch', {'LOCAL_RANK': '2'}, '2'),
        ('slurm', {'SLURM_LOCALID': '4'}, '4'),
        ('mpi', {'OMPI_COMM_WORLD_LOCAL_RANK': '3'}, '3'),
    ],
)
def test_the_local_rank_of_any_launcher(
    monkeypatch, launcher, given, expected
):
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        monkeypatch.setenv(name, '0')
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    monkeypatch.setenv('LOCAL_RANK', '')  # restored after the test
    monkeypatch.delenv('LOCAL_RANK')
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    cfg = Config({'launcher': launcher, 'model': {}})
    prepare_launch(cfg, local_rank=5)
    assert os.environ['LOCAL_RANK'] == expected


def test_an_accelerator_is_left_to_mmengine(monkeypatch):
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setattr(launch, 'get_device', lambda: 'cuda')
    cfg = Config({'launcher': 'pytorch', 'model': {}})
    prepare_launch(cfg)
    assert 'model_wrapper_cfg' not in cfg
