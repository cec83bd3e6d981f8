"""The same work for many items, in this process or in several."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

import cv2
import torch

from .cli import handle_signal

T = TypeVar('T')
R = TypeVar('R')


def map_in_processes(
    make_worker: Callable[[], Callable[[T], R]],
    items: Sequence[T],
    workers: int = 1,
) -> Iterator[R]:
    """Apply a function to items in several processes.

    Args:
        make_worker (Callable[[], Callable[[T], R]]): Makes the function, once
            in each process, such as ``partial(LabelWorker, settings)``.
        items (Sequence[T]): The arguments of the calls, one each.
        workers (int): Processes; 1 works in this one. Defaults to 1.

    Yields:
        R: The result of each item, in their order.

    Raises:
        OSError: A process was killed.
        Exception: Any that the function raises.
    """
    if workers == 1:
        yield from map(make_worker(), items)
        return
    # Child processes inherit both from their first moment: Ctrl-C is ignored,
    # since it is the parent's to handle, and numpy has one thread.
    with handle_signal(signal.SIGINT, signal.SIG_IGN), _one_thread_each():
        pool = ProcessPoolExecutor(
            workers,
            mp_context=get_context('spawn'),  # fork breaks torch's threads
            initializer=_start,
            initargs=(make_worker,),
        )
        results: Iterator[R] = pool.map(_run, items)
    try:
        yield from results
    except BrokenProcessPool as error:
        raise OSError(
            'a worker process was killed, perhaps for lack of memory; run the '
            'same command with fewer --workers; finished files are kept'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let numpy compute in one thread in the processes that start now.

    Otherwise its linear algebra starts a thread for each core in each
    process, and they slow one another down. Numpy reads the variable when it
    is imported, so a worker cannot set it for itself.
    """
    name = 'OMP_NUM_THREADS'
    before = os.environ.get(name)
    os.environ[name] = '1'
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


_worker: Callable | None = None


def _start(make_worker: Callable[[], Callable]) -> None:
    """Prepare a process: one thread for OpenCV and torch, and the worker."""
    global _worker
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _worker = make_worker()


def _run(item: T) -> R:
    return _worker(item)
