"""Mixed precision by name, and channels in the last place."""

import importlib.util
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.runner import TestLoop as Loop
from mmengine.structures import BaseDataElement
from torch import nn

from oaa_mm.registry import HOOKS
from oaa_mm.runs import precision

ROOT = Path(__file__).resolve().parents[2]


def load_tool(name):
    path = ROOT / f'tools/{name}.py'
    spec = importlib.util.spec_from_file_location(f'tool_{name}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('words', 'amp'),
    [
        (['config.py'], None),
        (['--amp', 'config.py'], 'auto'),
        (['config.py', '--amp'], 'auto'),
        (['--amp', 'bf16', 'config.py'], 'bf16'),
        (['config.py', '--amp', '--work-dir', 'x'], 'auto'),
        (['config.py', '--amp=fp16'], 'fp16'),
    ],
)
def test_amp_takes_no_other_word(words, amp):
    args = load_tool('train').parse_args(words)
    assert (args.amp, args.config) == (amp, 'config.py')
    args = load_tool('test').parse_args([*words, 'weights.pth'])
    assert (args.amp, args.checkpoint) == (amp, 'weights.pth')


def test_names_and_devices():
    assert precision.amp_dtype('auto', 'cpu') == torch.bfloat16
    assert precision.amp_dtype('auto', 'cuda') == torch.float16
    assert precision.amp_dtype('bf16', 'cuda') == torch.bfloat16
    with pytest.raises(ValueError, match='fp16 needs a GPU.* --amp bf16'):
        precision.amp_dtype('fp16', 'cpu')
    with pytest.raises(ValueError, match="amp should be one of .*'fp8'"):
        precision.amp_dtype('fp8', 'cpu')


@pytest.mark.parametrize(
    ('flags', 'units'),
    [
        ('flags : fpu avx2 avx512f avx512vl', False),
        ('flags : fpu avx512_bf16 avx512vl', True),
        ('flags : amx_tile amx_bf16', True),
        ('Features : fp asimd bf16', True),  # Arm
    ],
)
def test_processors_are_told_apart(tmp_path, flags, units):
    path = tmp_path / 'cpuinfo'
    path.write_text(f'processor : 0\n{flags}\n')
    assert precision.has_bf16_units(path) == units
    assert precision.has_bf16_units(tmp_path / 'absent')  # nobody knows


@pytest.mark.parametrize('units', [False, True])
def test_a_cpu_without_units_is_told(units, monkeypatch, caplog):
    monkeypatch.setattr(precision, 'has_bf16_units', lambda: units)
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        precision.amp_dtype('bf16', 'cpu')
    logger.removeHandler(caplog.handler)
    assert ('no bf16 instructions' in caplog.text) == (not units)


def test_a_test_runs_under_autocast():
    types = []

    def test_step(batch):
        types.append((batch @ batch).dtype)
        return [BaseDataElement()]

    cfg = Config({'test_cfg': {'type': 'TestLoop'}})
    for amp in (None, 'bf16'):
        if amp:
            precision.use_amp(cfg, amp)
        runner = SimpleNamespace(
            model=SimpleNamespace(test_step=test_step),
            call_hook=lambda *_, **__: None,
            visualizer=SimpleNamespace(),
        )
        fp16 = cfg.test_cfg.get('fp16', False)
        data = SimpleNamespace(dataset=SimpleNamespace(metainfo={}))
        loop = Loop(runner, data, Evaluator([]), fp16=fp16)
        loop.run_iter(0, torch.ones(2, 2))
    assert types == [torch.float32, torch.bfloat16]


def test_a_training_takes_the_wrapper_of_the_type(monkeypatch):
    wrapper = {'type': 'AmpOptimWrapper', 'loss_scale': 'dynamic'}
    hooks = {'timer': {'type': 'IterTimerHook'}}
    cfg = Config(
        {'optim_wrapper': wrapper, 'default_hooks': hooks, 'val_cfg': None}
    )
    precision.use_amp(cfg, 'bf16')
    assert cfg.optim_wrapper == {'type': 'oaa_mm.BFloat16OptimWrapper'}
    layout = {'channels_last': {'type': 'oaa_mm.ChannelsLastHook'}}
    assert cfg.default_hooks == hooks | layout
    assert cfg.val_cfg is None
    monkeypatch.setattr(precision, 'get_device', lambda: 'cuda')
    precision.use_amp(cfg, 'fp16')
    assert cfg.optim_wrapper == wrapper


def test_channels_last_changes_the_layout_alone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    images = torch.rand(2, 3, 9, 9)
    expected = model(images)
    hook = HOOKS.build({'type': 'oaa_mm.ChannelsLastHook'})
    hook.before_run(SimpleNamespace(model=model))
    found = model(images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected)
    # The optimizer trains the converted weights, which keep their layout.
    before = model[0].weight.detach().clone()
    found.sum().backward()
    optimizer.step()
    assert (model[0].weight != before).any()
    weight = model[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
