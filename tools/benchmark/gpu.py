"""Training steps on a GPU: time, memory, and whether anything waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.engine.batch_attention import AttentionSource

from .samples import TrainingStep, make_batch, make_classifier
from .timing import timed_in_turn

#: Way of computing -> arguments of TrainingStep.
WAYS: dict[str, dict[str, Any]] = {
    'fp32': {},
    'fp32, channels_last': {'channels_last': True},
    'bf16': {'autocast': 'bf16'},
    'bf16, channels_last': {'autocast': 'bf16', 'channels_last': True},
}


def gpu_steps(
    *, repeats: int = 5, quick: bool = False
) -> dict[str, dict[str, float]]:
    """Training steps at 321 pixels with VGG16 and ResNet-50.

    Args:
        repeats (int): Rounds that count. Defaults to 5.
        quick (bool): A tiny network on tiny images instead, on the CPU where
            there is no GPU, to see that all of it runs. Defaults to False.

    Returns:
        dict[str, dict[str, float]]: Network, batch and way -> see
        :func:`step_cost`.

    Raises:
        ValueError: There is no GPU, and not `quick`.
    """
    if not quick and not torch.cuda.is_available():
        raise ValueError(
            'gpu measures on a GPU, and torch finds none here '
            '(torch.cuda.is_available()). To see that the measurement runs, '
            'add --quick'
        )
    networks = ('resnet18',) if quick else ('vgg16', 'resnet50')
    sizes = (2,) if quick else (5, 16)
    return {
        f'{network}, batch {size}, {way}': step_cost(
            network,
            size,
            side=33 if quick else 321,
            iterations=1 if quick else 10,
            repeats=repeats,
            **arguments,
        )
        for network in networks
        for size in sizes
        for way, arguments in WAYS.items()
    }


def step_cost(
    network: str,
    batch_size: int,
    *,
    side: int,
    iterations: int,
    repeats: int,
    **arguments: Any,
) -> dict[str, float]:
    """Time and memory of training steps with accumulation and without.

    Args:
        network (str): See :data:`~benchmark.samples.NETWORKS`.
        batch_size (int): Images a step.
        side (int): Of the images, in pixels.
        iterations (int): Steps of an epoch, which ends with the fusion.
        repeats (int): Epochs that count, of each way.
        **arguments (Any): Of :class:`~benchmark.samples.TrainingStep`.

    Returns:
        dict[str, float]: Seconds a step, their ratio, images a second, on a
        GPU the peaks of its memory in MB, and `waits`: 1 if a step with
        accumulation waits for the device, else 0 (always 0 on the CPU).
    """
    model = make_classifier(network)
    source = AttentionSource(model)
    step = TrainingStep(model, **arguments)
    batch = make_batch(batch_size, height=side, width=side)
    accumulator = AttentionAccumulator(start_epoch=0)

    def plain() -> None:
        for _ in range(iterations):
            step.train(*step.prepare(batch))
            source.head.attention_output = None

    def collect(logged: dict[str, torch.Tensor]) -> None:
        samples = batch['data_samples']
        accumulator.update(**source.batch(samples, logged))
        source.head.attention_output = None

    def accumulating() -> None:
        for _ in range(iterations):
            collect(step.train(*step.prepare(batch)))
        accumulator.finish_epoch(1)

    ways = {'without': plain, 'with OAA': accumulating}
    seconds = timed_in_turn(ways, repeats=repeats)
    on_device = step.prepare(batch)
    result = {
        **{name: value / iterations for name, value in seconds.items()},
        'ratio': seconds['with OAA'] / seconds['without'],
        'images/s': batch_size * iterations / seconds['with OAA'],
        'waits': waits(lambda: collect(step.train(*on_device))),
    }
    if torch.cuda.is_available():
        for name, way in ways.items():
            result[f'MB {name}'] = peak_megabytes(way)
    return result


def waits(step: Callable[[], object]) -> float:
    """Whether a step waits for the GPU; what does is printed.

    Args:
        step (Callable[[], object]): A step whose batch is on the device.

    Returns:
        float: 1 or 0.
    """
    if not torch.cuda.is_available():
        step()
        return 0.0
    torch.cuda.set_sync_debug_mode('error')
    try:
        step()
    except RuntimeError as error:
        if 'synchroniz' not in str(error):
            raise
        import traceback

        traceback.print_exc()
        return 1.0
    finally:
        torch.cuda.set_sync_debug_mode('default')
    return 0.0


def peak_megabytes(way: Callable[[], object]) -> float:
    """Peak of the GPU's memory that tensors take while something runs.

    Args:
        way (Callable[[], object]): What runs.

    Returns:
        float: In MB.
    """
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    way()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() / 1e6
