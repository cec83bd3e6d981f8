"""Cost of accumulation in a training step, and gain by batches."""

from __future__ import annotations

from mmengine.device import get_device

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.engine.batch_attention import AttentionSource

from .samples import TrainingStep, make_batch, make_classifier
from .timing import timed_in_turn


def hook_cost(
    network: str,
    *,
    batch_size: int = 5,
    iterations: int = 10,
    repeats: int = 5,
    autocast: bool = False,
) -> dict[str, float]:
    """Time of training iterations with accumulation and without.

    `iterations` make an epoch here, so that the fusion at its end weighs more
    than in a real training.

    Args:
        network (str): See :data:`~benchmark.samples.NETWORKS`.
        batch_size (int): Defaults to 5.
        iterations (int): Iterations of an epoch. Defaults to 10.
        repeats (int): Epochs that count, of each way. Defaults to 5.
        autocast (bool): Mixed precision. Defaults to False.

    Returns:
        dict[str, float]: Seconds an iteration, and their ratio.
    """
    model = make_classifier(network)
    source = AttentionSource(model)
    step = TrainingStep(model, autocast=autocast)
    batches = [make_batch(batch_size, n * batch_size) for n in range(2)]
    accumulator = AttentionAccumulator(start_epoch=0)

    def plain() -> None:
        for number in range(iterations):
            step(batches[number % len(batches)])
            source.head.attention_output = None

    def accumulating() -> None:
        for number in range(iterations):
            samples = step(batches[number % len(batches)])
            accumulator.update(**source.batch(samples))
            source.head.attention_output = None
        accumulator.finish_epoch(1)

    seconds = timed_in_turn(
        {'without': plain, 'with OAA': accumulating}, repeats=repeats
    )
    result = {name: value / iterations for name, value in seconds.items()}
    return {**result, 'ratio': seconds['with OAA'] / seconds['without']}


def batch_speed(
    network: str,
    *,
    batch_size: int = 8,
    repeats: int = 5,
    accumulate: int = 5,
    amp: bool = True,
) -> dict[str, dict[str, float]]:
    """Images a second of batches, against single images as the authors have.

    Args:
        network (str): See :data:`~benchmark.samples.NETWORKS`.
        batch_size (int): Defaults to 8.
        repeats (int): Rounds that count. Defaults to 5.
        accumulate (int): Single images whose gradients are summed. Defaults
            to 5.
        amp (bool): Whether to try mixed precision too, which takes very long
            on a CPU without instructions for it. Defaults to True.

    Returns:
        dict[str, dict[str, float]]: Way -> images a second, and the ratio to
        single images.
    """
    model = make_classifier(network)
    single = TrainingStep(model, accumulate=accumulate)
    batch = make_batch(batch_size)
    ones = [make_batch(1, number) for number in range(batch_size)]

    def one_by_one() -> None:
        for one in ones:
            single(one)

    ways = {f'1 x {accumulate} (authors)': one_by_one}
    for channels_last in (False, True):
        for autocast in (False, True) if amp else (False,):
            name = f'batch {batch_size}'
            if channels_last:
                name += ', channels_last'
            if autocast:
                name += ', bf16' if get_device() == 'cpu' else ', fp16'
            # Layouts are properties of the weights: each way has its own.
            step = TrainingStep(
                make_classifier(network),
                channels_last=channels_last,
                autocast=autocast,
            )
            ways[name] = lambda step=step: step(batch)
    seconds = timed_in_turn(ways, repeats=repeats)
    slowest = next(iter(seconds.values()))
    return {
        name: {'images/s': batch_size / value, 'ratio': slowest / value}
        for name, value in seconds.items()
    }
