"""Medians of times that are taken in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch


def synchronise() -> None:
    """Wait for the accelerator, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed_in_turn(
    ways: Mapping[str, Callable[[], object]],
    *,
    repeats: int = 5,
    warmup: int = 1,
) -> dict[str, float]:
    """Time several ways in turn, so that a slower moment hits all of them.

    Args:
        ways (Mapping[str, Callable[[], object]]): Name -> what to time.
        repeats (int): Rounds that count. Defaults to 5.
        warmup (int): Rounds before them. Defaults to 1.

    Returns:
        dict[str, float]: Name -> median of its seconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(warmup + repeats):
        for name, way in ways.items():
            synchronise()
            start = time.perf_counter()
            way()
            synchronise()
            if number >= warmup:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}
