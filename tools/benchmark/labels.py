"""Pseudo-labels a second."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.pseudo_labels.inputs import ImageToLabel, images_to_label
from oaa_mm.pseudo_labels.workers import LabelSettings, LabelWorker
from oaa_mm.runs.processes import map_in_processes

#: Height and width of the images: VOC's most frequent size.
SIZE = (375, 500)


def label_speed(
    *, images: int = 200, workers: int = 1, refine: str = 'none'
) -> dict[str, float]:
    """Labels a second of 500x375 images with two classes each, by saliency.

    From the times for all images and for a quarter of them, so that the start
    of the processes does not count.

    Args:
        images (int): Defaults to 200.
        workers (int): Processes. Defaults to 1.
        refine (str): ``'none'``, ``'par'`` or ``'crf'``. Defaults to
            ``'none'``.

    Returns:
        dict[str, float]: Images a second, of all processes and of each.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make_inputs(folder, images)
        everything = images_to_label(
            folder / 'store.safetensors',
            folder / 'img',
            saliency_dir=folder / 'sal',
            num_classes=20,
        )
        settings = LabelSettings(
            store=str(folder / 'store.safetensors'),
            out=str(folder),
            refine=refine,
        )
        few = everything[: images // 4]
        seconds = _timed(settings, folder / 'few', few, workers)
        more = _timed(settings, folder / 'all', everything, workers) - seconds
        speed = (images - len(few)) / more
    return {'images/s': speed, 'per worker': speed / workers}


def _timed(
    settings: LabelSettings,
    out: Path,
    images: Sequence[ImageToLabel],
    workers: int,
) -> float:
    """Seconds for the labels of the images, written to a new folder."""
    threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)  # as in the worker processes
    cv2.setNumThreads(1)
    settings = replace(settings, out=str(out))
    start = time.perf_counter()
    worker = partial(LabelWorker, settings)
    done = sum(1 for _ in map_in_processes(worker, images, workers))
    seconds = time.perf_counter() - start
    torch.set_num_threads(threads[0])
    cv2.setNumThreads(threads[1])
    if done != len(images):
        raise ValueError(f'{done} of {len(images)} labels were made')
    return seconds


def _make_inputs(folder: Path, images: int) -> None:
    """Smooth maps and saliency, and images of noise."""
    rng = np.random.default_rng(0)
    store = AttentionStore()
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    for part in ('img', 'sal'):
        (folder / part).mkdir()
    for number in range(images):
        image_id = f'im{number:06d}'
        row, column = rng.uniform(100, 275), rng.uniform(100, 400)
        hill = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 1e4)
        grey = np.rint(255 * hill).astype(np.uint8)
        Image.fromarray(grey).save(folder / 'sal' / f'{image_id}.png')
        pixels = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / 'img' / f'{image_id}.jpg')
        for index in range(2):
            small = Image.fromarray(np.roll(grey, 80 * index, 1))
            store[image_id, index] = np.asarray(small.resize((37, 28)))
    store.save(folder / 'store.safetensors')
