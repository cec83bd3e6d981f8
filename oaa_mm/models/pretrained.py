"""Pretrained weights that do not fit are an error, not a log line."""

from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import get_state_dict
from torch import nn

from oaa_mm.checks import name_some

#: Initialisation of layers without pretrained weights; biases are 0.
NORMAL_INIT = {'type': 'Normal', 'layer': 'Conv2d', 'std': 0.01}


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
            f'{name_some(list(stored), 3)}'
        )
    own = get_state_dict(module)
    if not any(
        getattr(weights.get(key), 'shape', None) == value.shape
        for key, value in own.items()
    ):
        raise ValueError(
            f'{path}: none of its {len(weights)} tensors fits '
            f'{type(module).__name__} ({name or "the model"}) by name and '
            f'shape. It holds {name_some(list(weights), 3)}; needed are '
            f'{name_some(list(own), 3)}. Set `init_cfg.prefix` if the names '
            'differ by a prefix.'
        )
