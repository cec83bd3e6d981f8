"""Pretrained weights that do not fit are an error, not a log line."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import get_state_dict
from torch import nn


def check_pretrained(model: nn.Module) -> None:
    """Make sure that every ``init_cfg`` of type Pretrained loads something.

    mmengine loads such weights without strictness: if no name matches, the
    model silently stays at random values.

    Args:
        model (nn.Module): The model about to be initialised.

    Raises:
        ValueError: No tensor of a checkpoint matches its module by name and
            shape; names of both sides are shown. Or none has the prefix.
    """
    for name, module in model.named_modules():
        if not isinstance(module, BaseModule) or module.is_init:
            continue
        configs = module.init_cfg
        for config in configs if isinstance(configs, list) else [configs]:
            if config and config.get('type') == 'Pretrained':
                _check(name, module, config)


def _check(name: str, module: nn.Module, config: dict) -> None:
    path, prefix = config['checkpoint'], config.get('prefix')
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    stored = checkpoint.get('state_dict', checkpoint)
    # Without a prefix, mmengine strips that of models saved in a wrapper.
    cut = 'module.' if prefix is None else prefix.rstrip('.') + '.'
    weights = {
        key.removeprefix(cut): value
        for key, value in stored.items()
        if prefix is None or key.startswith(cut)
    }
    if prefix is not None and not weights:
        raise ValueError(
            f'{path}: no tensor has the prefix {cut!r} (init_cfg.prefix of '
            f'{type(module).__name__}, {name or "the model"}); it holds '
            f'{_some(stored)}'
        )
    own = get_state_dict(module)
    matched = [
        key for key in own if key in weights and _same_shape(own, weights, key)
    ]
    if not matched:
        raise ValueError(
            f'{path}: none of its {len(weights)} tensors fits '
            f'{type(module).__name__} ({name or "the model"}) by name and '
            f'shape. It holds {_some(weights)}; needed are {_some(own)}. Set '
            '`init_cfg.prefix` if the names differ by a prefix.'
        )


def _same_shape(own: dict, weights: dict, key: str) -> bool:
    return getattr(weights[key], 'shape', None) == own[key].shape


def _some(names: dict) -> str:
    return ', '.join(list(names)[:3]) + (', ...' if len(names) > 3 else '')
