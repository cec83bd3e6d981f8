"""Labels of many images, in this process or in several."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import mmcv
import numpy as np
import torch

from oaa_mm.attention import AttentionStore, attention_to_image
from oaa_mm.io.images import SALIENCY_FORMATS, open_image
from oaa_mm.io.palette import read_index_png, write_index_png

from .compose import compose_label
from .job import LabelJob, LabelTask
from .refine import build_refine
from .rules import IGNORE_INDEX


@dataclass(frozen=True)
class LabelResult:
    """What became of one image.

    Args:
        image_id (str): Its id.
        kept (bool): Whether its label was there already.
        pixels (dict[int, int]): Label value -> number of its pixels.
    """

    image_id: str
    kept: bool
    pixels: dict[int, int]

    @property
    def dropped(self) -> bool:
        """Whether no pixel of the label is used."""
        return set(self.pixels) == {IGNORE_INDEX}


class LabelWorker:
    """Makes labels one after the other, with a reader of its own.

    Args:
        job (LabelJob): What is the same for all images.
    """

    def __init__(self, job: LabelJob) -> None:
        self.job = job
        self.reader = AttentionStore.open(job.store)
        self.refine = build_refine(job.refine, job.refine_options)

    def __call__(self, task: LabelTask) -> LabelResult:
        """Make and write the label of an image, unless it is there.

        Args:
            task (LabelTask): The image.

        Returns:
            LabelResult: Counts of its pixels.

        Raises:
            ValueError: A file does not fit; it is named.
        """
        path = Path(self.job.label_dir) / f'{task.image_id}.png'
        label = _finished(path, task.size)
        kept = label is not None
        if label is None:
            label = self.compose(task)
            write_index_png(path, label)
        counts = np.bincount(label.ravel(), minlength=256)
        pixels = {int(v): int(counts[v]) for v in np.flatnonzero(counts)}
        return LabelResult(task.image_id, kept, pixels)

    def compose(self, task: LabelTask) -> np.ndarray:
        """The label of an image.

        Args:
            task (LabelTask): The image.

        Returns:
            np.ndarray: (H, W) uint8.
        """
        attention = {
            index: attention_to_image(
                self.reader[task.image_id, index], task.size
            )
            for index in task.classes
        }
        if not attention:  # nothing is known of this image
            return np.full(task.size, IGNORE_INDEX, np.uint8)
        image = saliency = None
        if self.refine is not None:
            image = mmcv.imread(task.image, channel_order='rgb')
        if task.saliency is not None:
            saliency = _read_saliency(task.saliency)
        return compose_label(
            attention,
            saliency=saliency,
            image=image,
            refine=self.refine,
            **vars(self.job.rules),
        )


def _finished(path: Path, size: tuple[int, int]) -> np.ndarray | None:
    """The label that an earlier run finished; None where there is none."""
    try:
        label = read_index_png(path)
    except (FileNotFoundError, ValueError):
        return None
    return label if label.shape == size else None


def _read_saliency(path: str) -> np.ndarray:
    with open_image(path, SALIENCY_FORMATS) as image:
        return np.asarray(image.convert('L'))


def run_tasks(
    job: LabelJob, tasks: Sequence[LabelTask], *, workers: int = 1
) -> Iterator[LabelResult]:
    """Make the labels of all images.

    Args:
        job (LabelJob): What is the same for all images.
        tasks (Sequence[LabelTask]): The images.
        workers (int): Processes; 1 works in this one. Defaults to 1.

    Yields:
        LabelResult: One per task, in their order.

    Raises:
        ValueError: A file does not fit; labels made so far stay.
        OSError: A file cannot be written, or a process was killed.
    """
    if workers == 1:
        yield from map(LabelWorker(job), tasks)
        return
    with _interrupts_ignored():  # Ctrl-C is the parent's to handle
        pool = ProcessPoolExecutor(
            workers,
            mp_context=get_context('spawn'),  # fork breaks torch's threads
            initializer=_start_worker,
            initargs=(job,),
        )
        results = pool.map(_run_task, tasks)
    try:
        yield from results
    except BrokenProcessPool as error:
        raise OSError(
            'a worker process ended without a word, perhaps for lack of '
            'memory; run the same command with fewer --workers, finished '
            'labels are kept'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_worker: LabelWorker | None = None


def _start_worker(job: LabelJob) -> None:
    """Prepare a process: one thread each, one reader."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _worker = LabelWorker(job)


def _run_task(task: LabelTask) -> LabelResult:
    return _worker(task)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C, which child processes inherit from their first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
