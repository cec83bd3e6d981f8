"""Mixed precision by name: bf16 or fp16 arithmetic, float32 weights."""

import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from torch import nn

from oaa_mm.checks import check_choice
from oaa_mm.registry import HOOKS, OPTIM_WRAPPERS

DTYPES = {'bf16': torch.bfloat16, 'fp16': torch.float16}

#: Names of bf16 instructions in the list of a processor, x86 and Arm.
_UNITS = {'avx512_bf16', 'amx_bf16', 'bf16'}


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Run forward passes under bf16 autocast; weights stay float32.

    bfloat16 has the exponents of float32, so no loss is scaled: all that
    mmengine's AmpOptimWrapper has beyond this needs an accelerator, and it
    refuses to work without one. Faster only where the processor has bf16
    instructions (AVX512-BF16, AMX).

    Args:
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Autocast, and accumulate gradients as the base class does.

        Args:
            model (nn.Module): The model that is trained.
        """
        with (
            super().optim_context(model),
            autocast(device_type=get_device(), dtype=torch.bfloat16),
        ):
            yield


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Put the weights of a model into the layout ``channels_last``.

    Convolutions take the layout of their weights for all that follows, so the
    inputs need no conversion. Numbers and checkpoints mean the same as
    before; only the time changes.
    """

    def before_run(self, runner: Runner) -> None:
        """Convert the weights in place, for the optimizer too.

        Args:
            runner (Runner): Of a training, a validation or a test.
        """
        runner.model.to(memory_format=torch.channels_last)


def amp_dtype(name: str, device: str | None = None) -> torch.dtype:
    """The type of numbers that convolutions compute in.

    Args:
        name (str): ``'bf16'``, ``'fp16'``, or ``'auto'``: fp16, on a CPU
            bf16.
        device (str | None): ``'cpu'``, ``'cuda'``, ... Defaults to None: the
            accelerator, if there is one.

    Returns:
        torch.dtype: The type. A warning says that a CPU gains nothing.

    Raises:
        ValueError: The name is unknown, or fp16 on a CPU.
    """
    device = device or get_device()
    if name == 'auto':
        name = 'bf16' if device == 'cpu' else 'fp16'
    check_choice('amp', name, DTYPES)
    if device == 'cpu' and name == 'fp16':
        raise ValueError('fp16 needs a GPU; on a CPU use --amp bf16')
    if device == 'cpu' and not has_bf16_units():
        print_log(
            'This CPU has no bf16 instructions (AVX512-BF16, AMX), so bf16 '
            'will not make it faster, but slower; leave --amp off',
            'current',
            logging.WARNING,
        )
    return DTYPES[name]


def use_amp(cfg: Config, name: str) -> None:
    """Let a run train, validate and test in mixed precision.

    Weights get the memory layout `channels_last` as well, by which mixed
    precision gains in every case that was measured.

    Args:
        cfg (Config): The config of the run, changed in place.
        name (str): See :func:`amp_dtype`.

    Raises:
        ValueError: See :func:`amp_dtype`.
    """
    dtype = amp_dtype(name)
    hooks = cfg.get('default_hooks') or {}
    layout = {'type': 'oaa_mm.ChannelsLastHook'}
    cfg.default_hooks = {**hooks, 'channels_last': layout}
    for loop in filter(None, map(cfg.get, ('val_cfg', 'test_cfg'))):
        loop.fp16 = True  # the loop's name for it, bf16 included
    # On a GPU the loop asks torch for the type; on a CPU it is always bf16.
    if hasattr(torch, 'set_autocast_dtype'):
        torch.set_autocast_dtype('cuda', dtype)
    else:  # torch < 2.4
        torch.set_autocast_gpu_dtype(dtype)
    wrapper = cfg.get('optim_wrapper') or {}
    if dtype == torch.bfloat16:
        # mmengine's own refuses to work without an accelerator.
        for key in ('loss_scale', 'dtype', 'use_fsdp'):
            wrapper.pop(key, None)
        changed = {'type': 'oaa_mm.BFloat16OptimWrapper'}
    else:
        changed = {'type': 'AmpOptimWrapper', 'loss_scale': 'dynamic'}
    if wrapper:
        wrapper.update(changed)


def has_bf16_units(cpu_info: str = '/proc/cpuinfo') -> bool:
    """Whether the processor has instructions for bf16.

    Args:
        cpu_info (str): Where Linux describes the processor.

    Returns:
        bool: True where there is no such file as well: nobody knows.
    """
    path = Path(cpu_info)
    return not path.is_file() or bool(_UNITS & {*path.read_text().split()})


def add_amp_argument(parser: ArgumentParser) -> None:
    """Add ``--amp``.

    Args:
        parser (ArgumentParser): Gets `amp`: None, or a name.
    """
    parser.add_argument(
        '--amp',
        nargs='?',
        const='auto',
        metavar='{bf16,fp16}',
        help='automatic mixed precision and the memory layout channels_last '
        '(default: fp16, on a CPU bf16, which is faster only where the CPU '
        'has bf16 instructions)',
    )


def complete_amp(argv: Sequence[str] | None) -> list[str]:
    """Let no other word be taken for the value of ``--amp``.

    Args:
        argv (Sequence[str] | None): Words; None takes the command line.

    Returns:
        list[str]: The words, with ``--amp=auto`` for one without a value.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    return [
        '--amp=auto' if word == '--amp' and following not in DTYPES else word
        for word, following in zip_longest(words, words[1:])
    ]
