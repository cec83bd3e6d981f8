"""Bringing the maps of an epoch together, in real processes."""

from __future__ import annotations

import os
import socket
import time
from statistics import median
from typing import Any

import torch
import torch.distributed as torch_dist
from torch.multiprocessing import get_context, spawn

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.engine.exchange import EpochExchange

from .store import random_store


def exchange_speed(
    pairs: int = 15_582, *, processes: int = 2, repeats: int = 5
) -> dict[str, float]:
    """Seconds that one exchange takes, at the end of an epoch.

    Args:
        pairs (int): Of all processes. Defaults to 15,582.
        processes (int): Defaults to 2.
        repeats (int): Epochs that count. Defaults to 5.

    Returns:
        dict[str, float]: Seconds, and GB/s of the maps that travelled.
    """
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    results = get_context('spawn').SimpleQueue()
    share = pairs // processes
    spawn(
        _exchange, (processes, port, share, repeats, results), nprocs=processes
    )
    seconds, sent = results.get()
    return {'seconds': seconds, 'GB/s': sent / 1e9 / seconds}


def _exchange(
    rank: int,
    processes: int,
    port: int,
    pairs: int,
    repeats: int,
    results: Any,
) -> None:
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    torch.set_num_threads(1)
    torch_dist.init_process_group('gloo', rank=rank, world_size=processes)
    exchange = EpochExchange()
    exchange.open()
    maps = random_store(pairs, seed=rank, prefix=f'rank{rank}_')
    seconds = []
    for _ in range(repeats + 1):
        accumulator = AttentionAccumulator()
        accumulator.store.update(maps)
        torch_dist.barrier()
        start = time.perf_counter()
        exchange.gather(accumulator)
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        travelled = maps.num_bytes * (processes - 1)
        results.put((median(seconds[1:]), travelled))
    torch_dist.barrier()
    torch_dist.destroy_process_group()
