"""The memory of maps at the size of large data sets, in processes of its own.

``python -m benchmark.scale STORE [IMAGES]`` prints times as JSON: of
making the store with so many images, or of reading it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import torch

import oaa_mm
from oaa_mm.attention import AttentionAccumulator, AttentionStore

from .exchange import exchange_speed

T = TypeVar('T')
EPOCHS = 4  # the first one only trains
SIZE = (28, 37)
BATCH = 64
READS, EXPORTS = 10_000, 100


def scale_costs(images: int) -> dict[str, float]:
    """Accumulate, save, load, read, export and exchange maps of many images.

    Args:
        images (int): Their number, with 1.5 classes each.

    Returns:
        dict[str, float]: See :func:`accumulate` and :func:`read_back`, each
        in a process of its own; and the seconds that the main one of two
        processes with half of the pairs each takes to receive the others.

    Raises:
        ValueError: A process failed; the end of its output is shown.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / 'store.safetensors')
        costs = _in_process(path, str(images)) | _in_process(path)
    exchange = exchange_speed(images * 3 // 2, repeats=1)
    return {**costs, 'exchange of 2 processes': exchange['seconds']}


def _in_process(*arguments: str) -> dict[str, float]:
    package = str(Path(oaa_mm.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, '-m', __spec__.name, *arguments],
        cwd=Path(__file__).parents[1],  # where `benchmark` is found
        env={**os.environ, 'PYTHONPATH': package},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise ValueError(f'{arguments}: {result.stderr[-2000:]}')
    return json.loads(result.stdout.splitlines()[-1])


def accumulate(path: Path, images: int) -> dict[str, float]:
    """One epoch without and three with fusion, of random maps.

    Args:
        path (Path): For the store.
        images (int): Their number; every second one has two classes.

    Returns:
        dict[str, float]: Seconds of each step, bytes of the maps, and as
        multiples of them the resident memory of the process before, and what
        training and saving add to it at their peaks.
    """
    rng = np.random.default_rng(0)
    _collect(AttentionAccumulator(), np.arange(BATCH))  # torch's own buffers
    bare = _peak()
    accumulator = AttentionAccumulator()
    costs = {}
    for epoch in range(EPOCHS):
        order = rng.permutation(images)
        _, costs[f'epoch {epoch}'] = _timed(
            partial(_run_epoch, accumulator, epoch, order)
        )
    size = accumulator.store.num_bytes
    training = _peak()
    _, costs['save'] = _timed(partial(accumulator.save, path))
    return {
        **costs,
        'bytes': size,
        'bare process / bytes': bare / size,
        'peak of training / bytes': (training - bare) / size,
        'peak of saving / bytes': (_peak() - bare) / size,
    }


def read_back(path: Path) -> dict[str, float]:
    """Load a store, read maps at random, export some.

    Args:
        path (Path): The store.

    Returns:
        dict[str, float]: Seconds of each step, and what loading adds to the
        resident memory at its peak, as a multiple of the maps' bytes.
    """
    costs = {}
    bare = _peak()
    store, costs['load'] = _timed(partial(AttentionStore.load, path))
    peak = (_peak() - bare) / store.num_bytes
    del store
    reader, costs['open'] = _timed(partial(AttentionStore.open, path))
    known = list(reader)
    rng = np.random.default_rng(0)
    pairs = [known[n] for n in rng.integers(0, len(known), READS)]
    maps, seconds = _timed(lambda: [reader[pair] for pair in pairs])
    costs[f'read {READS:,} maps'] = seconds
    some = AttentionStore(dict(zip(pairs[:EXPORTS], maps, strict=False)))
    _, seconds = _timed(partial(some.export_png, path.parent / 'png'))
    costs[f'export {EXPORTS:,} maps'] = seconds
    return {**costs, 'peak of loading / bytes': peak}


def _timed(step: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    result = step()
    return result, time.perf_counter() - start


def plot_scale(
    costs: Mapping[int, Mapping[str, float]], path: str | os.PathLike
) -> None:
    """Draw seconds of an epoch and peak memory against the bytes of maps.

    Args:
        costs (Mapping[int, Mapping[str, float]]): Images -> what
            :func:`scale_costs` returned.
        path (str | os.PathLike): The picture to write.
    """
    import matplotlib.pyplot as plt

    images = sorted(costs)
    epochs = [
        median(costs[n][f'epoch {epoch}'] for epoch in range(EPOCHS))
        for n in images
    ]
    raw = [costs[n]['bytes'] / 1e6 for n in images]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    left.loglog(images, epochs, 'o-', label='an epoch (median)')
    for step in ('save', 'load'):
        values = [costs[n][step] for n in images]
        left.loglog(images, values, 'o-', label=step)
    left.set(xlabel='images', ylabel='seconds')
    for what in ('training', 'saving', 'loading'):
        key = f'peak of {what} / bytes'
        peaks = [costs[n][key] * mb for n, mb in zip(images, raw, strict=True)]
        right.loglog(images, peaks, 'o-', label=what)
    right.loglog(images, raw, 'k:', label='the maps alone')
    right.set(xlabel='images', ylabel='peak memory, MB')
    for axes in (left, right):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _run_epoch(
    accumulator: AttentionAccumulator, epoch: int, order: np.ndarray
) -> None:
    _collect(accumulator, order)
    accumulator.finish_epoch(epoch)


def _collect(accumulator: AttentionAccumulator, order: np.ndarray) -> None:
    """Batches of random scores; few, so that making them costs little."""
    generator = torch.Generator().manual_seed(0)
    pool = torch.rand(BATCH, 2, *SIZE, generator=generator)
    # The labelled class of one image in eight is not the likeliest.
    logits = torch.rand(BATCH, 2, generator=generator) + torch.tensor([0.5, 0])
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        labels = torch.ones(len(numbers), 2)
        labels[:, 1] = torch.from_numpy(numbers % 2).float()
        accumulator.update(
            [f'im{number:07d}' for number in numbers],
            pool[: len(numbers)],
            labels,
            logits=logits[: len(numbers)],
        )


def _peak() -> int:
    """Peak of the resident memory so far, in bytes.

    Not ru_maxrss, which Linux takes over from the parent.
    """
    status = Path('/proc/self/status').read_text()
    line = next(x for x in status.splitlines() if x.startswith('VmHWM'))
    return 1024 * int(line.split()[1])


if __name__ == '__main__':
    store_path, *count = sys.argv[1:]
    step = partial(accumulate, images=int(count[0])) if count else read_back
    print(json.dumps(step(Path(store_path))))
