"""The same work for many items, in this process or in several."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
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
    # Ctrl-C is the parent's to handle; child processes inherit from their
    # first moment that it is ignored.
    with handle_signal(signal.SIGINT, signal.SIG_IGN):
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


_worker: Callable | None = None


def _start(make_worker: Callable[[], Callable]) -> None:
    """Prepare a process: one thread each, one worker."""
    global _worker
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _worker = make_worker()


def _run(item: T) -> R:
    return _worker(item)
