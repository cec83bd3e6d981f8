"""Fixtures that several test folders share."""

import os
import sys
from pathlib import Path

import messages
import numpy as np
import pytest
import torch
from hypothesis import settings
from messages import _record_messages  # noqa: F401

os.environ.setdefault('OMP_NUM_THREADS', '1')
torch.set_num_threads(1)

# Machines that test are busy: a slow example is no failure. The suite tries
# the same examples each time; `long`, with more of them, new ones.
settings.register_profile('suite', deadline=None, derandomize=True)
settings.register_profile('long', deadline=None, print_blob=True)
settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'suite'))

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / 'shared'
# The laboratories `benchmark` and `crash` lie beside the commands.
sys.path.append(str(ROOT / 'tools'))
# Its small training is used by other folders of tests as well.
sys.path.append(str(ROOT / 'tests/test_engine'))


#: Files that take a minute or more. They begin first, so that no process is
#: left alone with one in the end.
LONGEST = (
    'test_train_and_test.py',
    'test_whole_method.py',
    'test_processes.py',
    'test_dist_tools.py',
    'test_registry.py',
    'test_crash_test.py',
    'test_benchmark.py',
    'test_own_data.py',
)


def pytest_configure(config):
    """Name the marks."""
    config.addinivalue_line(
        'markers', 'slow: not part of `make test`, but of `make test-all`'
    )
    config.addinivalue_line(
        'markers', 'gpu: needs a GPU, and is skipped where torch finds none'
    )


def pytest_unconfigure(config):
    """Write what tests on broken data were refused with."""
    messages.write(config)


def pytest_collection_modifyitems(items):
    """Begin with the longest files; skip what needs a GPU without one."""
    if not torch.cuda.is_available():
        skip = pytest.mark.skip(
            reason='torch finds no GPU here (torch.cuda.is_available())'
        )
        for item in items:
            if item.get_closest_marker('gpu'):
                item.add_marker(skip)
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(LONGEST)))


@pytest.fixture(autouse=True)
def _mmseg_scope():
    """Build by name as a config with default_scope='mmseg' does."""
    from mmengine.registry import DefaultScope

    if not DefaultScope.check_instance_created('oaa_mm_tests'):
        DefaultScope.get_instance('oaa_mm_tests', scope_name='mmseg')


@pytest.fixture(params=['cpu', pytest.param('cuda', marks=pytest.mark.gpu)])
def device(request):
    """Each device in turn: what is tried on a GPU works on the CPU."""
    return request.param


@pytest.fixture(scope='session')
def root():
    return ROOT


@pytest.fixture(scope='session')
def voc_mini():
    folder = SHARED / 'data/voc_mini'
    if not folder.is_dir():
        pytest.skip(f'{folder} is absent: no real images to test on')
    return folder


@pytest.fixture(scope='session')
def shared_weights():
    folder = SHARED / 'weights'
    if not folder.is_dir():
        pytest.skip(f'{folder} is absent: no ImageNet weights to test with')
    return folder


@pytest.fixture(scope='session')
def reference_accumulation():
    """What the authors' PyTorch release accumulated, recorded."""
    with np.load(ROOT / 'tests/data/accumulation.npz') as data:
        return dict(data)
