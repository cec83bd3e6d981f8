"""The memory of maps at the size of large data sets, in a process of its own.

``python -m oaa_mm.benchmarks.scale IMAGES`` prints its times as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import oaa_mm
from oaa_mm.attention import AttentionAccumulator, AttentionStore

__all__ = ['scale_costs', 'simulate']

EPOCHS = 3
SIZE = (28, 37)
BATCH = 64
READS = 10_000


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
    """Three epochs of random maps in random order.

    Args:
        images (int): Their number; every second one has two classes.
        folder (Path): For the files.

    Returns:
        dict[str, float]: Seconds of each step, bytes of the store, and the
        peak of the resident memory as a multiple of them.
    """
    accumulator = AttentionAccumulator(acceptance='none', start_epoch=0)
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], object]) -> object:
        start = time.perf_counter()
        result = step()
        seconds[name] = time.perf_counter() - start
        return result

    rng = np.random.default_rng(0)
    before = _resident()
    for epoch in range(EPOCHS):
        order = rng.permutation(images)
        timed(f'epoch {epoch}', lambda o=order: _collect(accumulator, o))
        timed(f'fuse {epoch}', lambda e=epoch: accumulator.finish_epoch(e))
    path = folder / 'store.safetensors'
    timed('save', lambda: accumulator.save(path))
    size = accumulator.store.num_bytes
    peak = _resident()
    timed('load', lambda: AttentionStore.load(path))
    reader = timed('open', lambda: AttentionStore.open(path))
    names = [f'im{n:07d}' for n in rng.integers(0, images, READS)]
    timed('read', lambda: [reader[name, 0] for name in names])
    small = AttentionStore()
    for name in names[:1000]:  # some of them twice
        small[name, 0] = reader[name, 0]
    timed('export', lambda: small.export_png(folder / 'png'))
    return {
        **seconds,
        'bytes': size,
        'peak of training / bytes': peak / size,
        'before / bytes': before / size,
    }


def _collect(accumulator: AttentionAccumulator, order: np.ndarray) -> None:
    """Batches of random scores; few, so that making them costs little."""
    generator = torch.Generator().manual_seed(0)
    pool = torch.rand(BATCH, 2, *SIZE, generator=generator)
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        labels = torch.ones(len(numbers), 2)
        labels[:, 1] = torch.from_numpy(numbers % 2).float()
        accumulator.update(
            [f'im{number:07d}' for number in numbers],
            pool[: len(numbers)],
            labels,
            logits=labels,
        )


def _resident() -> int:
    """Peak of the resident memory so far, in bytes.

    Not ru_maxrss, which Linux takes over from the parent.
    """
    status = Path('/proc/self/status').read_text()
    line = next(x for x in status.splitlines() if x.startswith('VmHWM'))
    return 1024 * int(line.split()[1])


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(simulate(int(sys.argv[1]), Path(name))))
