"""The memory of maps at the size of large data sets, in a process of its own.

``python -m oaa_mm.benchmarks.scale IMAGES`` prints its times as JSON.
"""

from __future__ import annotations

import gc
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

__all__ = ['plot_scale', 'scale_costs', 'simulate']

T = TypeVar('T')
EPOCHS = 4  # the first one only trains
SIZE = (28, 37)
BATCH = 64
READS, EXPORTS = 10_000, 1000


def scale_costs(images: int) -> dict[str, float]:
    """Accumulate, save, load, read and export maps of many images.

    Args:
        images (int): Their number, with 1.5 classes each.

    Returns:
        dict[str, float]: See :func:`simulate`.

    Raises:
        ValueError: The process failed; the end of its output is shown.
    """
    result = subprocess.run(
        [sys.executable, '-m', __spec__.name, str(images)],
        cwd=Path(oaa_mm.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise ValueError(f'{images} images: {result.stderr[-2000:]}')
    return json.loads(result.stdout.splitlines()[-1])


def simulate(images: int, folder: Path) -> dict[str, float]:
    """One epoch without and three with fusion, of random maps.

    Args:
        images (int): Their number; every second one has two classes.
        folder (Path): For the files.

    Returns:
        dict[str, float]: Seconds of each step, bytes of the store, and peaks
        of the resident memory as multiples of them: of the bare process, of
        training and saving, of loading.
    """
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = step()
        seconds[name] = time.perf_counter() - start
        return result

    path = folder / 'store.safetensors'
    rng = np.random.default_rng(0)
    peaks = {'bare process': _peak()}
    accumulator = AttentionAccumulator()
    for epoch in range(EPOCHS):
        order = rng.permutation(images)
        timed(f'epoch {epoch}', partial(_run_epoch, accumulator, epoch, order))
    timed('save', partial(accumulator.save, path))
    size = accumulator.store.num_bytes
    peaks['training'] = _peak()
    del accumulator
    _forget_peak()
    timed('load', lambda: AttentionStore.load(path))
    peaks['loading'] = _peak()
    reader = timed('open', lambda: AttentionStore.open(path))
    known = list(reader)
    pairs = [known[n] for n in rng.integers(0, len(known), READS)]
    timed(f'read {READS:,} maps', lambda: [reader[pair] for pair in pairs])
    some = AttentionStore()
    for pair in pairs[:EXPORTS]:
        some[pair] = reader[pair]
    timed(
        f'export {len(some):,} maps', lambda: some.export_png(folder / 'png')
    )
    return {
        **seconds,
        'bytes': size,
        **{f'peak of {what} / bytes': p / size for what, p in peaks.items()},
    }


def plot_scale(
    costs: Mapping[int, Mapping[str, float]], path: str | os.PathLike
) -> None:
    """Draw seconds of an epoch and peak memory against the bytes of maps.

    Args:
        costs (Mapping[int, Mapping[str, float]]): Images -> what
            :func:`simulate` returned.
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
    for what in ('training', 'loading', 'bare process'):
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
    accumulator.begin_epoch(epoch)
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


def _forget_peak() -> None:
    gc.collect()
    Path('/proc/self/clear_refs').write_text('5')


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(simulate(int(sys.argv[1]), Path(name))))
