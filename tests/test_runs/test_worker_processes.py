"""Several processes that work on the items of one list."""

import os
from functools import partial

import numpy as np
import pytest
import torch

from oaa_mm.runs.processes import map_in_processes


def threads(size, more):
    np.linalg.solve(np.eye(size), np.ones(size))
    return len(os.listdir('/proc/self/task')) + more, torch.get_num_threads()


@pytest.mark.skipif(
    not os.path.isdir('/proc/self/task'), reason='needs the threads in /proc'
)
@pytest.mark.skipif(
    hasattr(os, 'sched_getaffinity') and len(os.sched_getaffinity(0)) == 1,
    reason='needs more than one core',
)
@pytest.mark.parametrize('chosen', [None, '3'])
def test_each_computes_in_one_thread(monkeypatch, chosen):
    # Else the linear algebra of numpy takes one for each core in each process.
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    if chosen:
        monkeypatch.setenv('OMP_NUM_THREADS', chosen)
    results = map_in_processes(
        partial(partial, threads, 300), [0, 100, 200], workers=2
    )
    assert list(results) == [(1, 1), (101, 1), (201, 1)]
    assert os.environ.get('OMP_NUM_THREADS') == chosen
