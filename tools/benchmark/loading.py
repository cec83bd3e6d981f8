"""The time for reading and augmenting images."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from oaa_mm.registry import DATASETS

from .samples import BASE, CLASSES, TrainingStep, make_batch, make_classifier
from .timing import timed_in_turn


def loading_share(
    network: str, *, images: int = 64, batch_size: int = 5, repeats: int = 5
) -> dict[str, float]:
    """Time that one loading process and the training need for an image.

    Args:
        network (str): See :data:`~benchmark.samples.NETWORKS`.
        images (int): 500x375 JPEGs. Defaults to 64.
        batch_size (int): Batch size of the training step. Defaults to 5.
        repeats (int): Steps that count. Defaults to 5.

    Returns:
        dict[str, float]: Seconds an image of loading and of training, and
        their ratio: above 1, one worker process cannot keep up.
    """
    with tempfile.TemporaryDirectory() as name:
        dataset = _make_dataset(Path(name), images)
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)  # as in the workers of a data loader
        dataset[0]
        start = time.perf_counter()
        for index in range(images):
            dataset[index]
        loading = (time.perf_counter() - start) / images
        cv2.setNumThreads(threads)
    step, batch = (
        TrainingStep(make_classifier(network)),
        make_batch(batch_size),
    )
    seconds = timed_in_turn({'step': lambda: step(batch)}, repeats=repeats)
    training = seconds['step'] / batch_size
    return {
        'loading': loading,
        'training': training,
        'ratio': loading / training,
    }


def _make_dataset(folder: Path, images: int) -> object:
    rng = np.random.default_rng(0)
    (folder / 'JPEGImages').mkdir()
    for number in range(images):
        small = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((500, 375), Image.BICUBIC)
        picture.save(folder / f'JPEGImages/im{number}.jpg', quality=90)
    lines = (f'im{n} {n % CLASSES}\n' for n in range(images))
    (folder / 'list.txt').write_text(''.join(lines))
    shipped = Config.fromfile(BASE / 'datasets/voc12_tags.py')
    dataset = shipped.train_dataloader.dataset
    dataset.update(data_root=str(folder), ann_file='list.txt')
    with DefaultScope.overwrite_default_scope('mmseg'):  # as in configs
        return DATASETS.build(dataset)
