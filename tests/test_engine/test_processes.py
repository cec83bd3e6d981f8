"""Accumulation in several real processes, connected by gloo."""

import json
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from process_worker import CLASSES, EPOCHS, IMAGES, accumulate
from test_oaa_hook import (
    data_root,  # noqa: F401 (a fixture)
    final_store,
    make_config,
    train,
)

from oaa_mm.attention import AttentionAccumulator, AttentionStore

FOLDER = Path(__file__).parent


def run_processes(count, *tasks):
    """Let each of `count` processes do the tasks, return their output."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    result = subprocess.run(
        [
            *(sys.executable, '-m', 'torch.distributed.run'),
            *('--nproc_per_node', str(count), '--master_port', str(port)),
            *(FOLDER / 'process_worker.py', json.dumps(tasks)),
        ],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return result.stdout + result.stderr


SETTINGS = {
    'max': {'fusion': 'max'},
    'mean': {'fusion': 'mean', 'acceptance': 'all_targets'},
    'all': {'acceptance': 'none', 'fallback': 'none', 'norm': 'minmax'},
}


#: For each process, of two batches: sums of min(map, target), maps, targets.
SUMS = [
    [[10, 20, 30], [0, 40, 30]],
    [[30, 30, 40], [20, 50, 60]],
    [[10, 10, 40], [30, 60, 50]],
]


def check_agreement(log, sums):
    """Each of two passes counts what all processes have seen in it."""
    both, maps, targets = np.sum(sums, (0, 1))
    words = (
        f'soft IoU of the maps with their targets '
        f'{both / (maps + targets - both):.3f}, ratio of their coverages '
        f'{maps / targets:.2f}'
    )
    said = [line for line in log.splitlines() if line.startswith('agree ')]
    assert said[:2] == [f'agree info: OAA+: {words}'] * 2
    assert words in said[2]
    assert said[2].startswith('agree warning: OAA+ reproduces its targets')
    assert len(said) == 3


def test_processes_equal_one_bit_for_bit(tmp_path, capsys):
    """11 images in 2 and 3 processes: some come twice, in another order."""
    for name, settings in SETTINGS.items():
        accumulate(str(tmp_path / f'{name}_1'), **settings)
        # Every image, whatever its share of the labels; that with NaN too.
        store = AttentionStore.load(tmp_path / f'{name}_1')
        assert len(store.image_ids) == IMAGES
        assert {c for _, c in store} == set(range(CLASSES))
    one = capsys.readouterr().out.splitlines()
    assert len(one) == EPOCHS * len(SETTINGS)
    for count in (2, 3):
        log = run_processes(
            count,
            *(
                ('accumulate', {'out': str(tmp_path / f'{n}_{count}'), **s})
                for n, s in SETTINGS.items()
            ),
            ('agree', {'model_sums': SUMS, 'passes': 2}),
        )
        check_agreement(log, SUMS[:count])
        for name in SETTINGS:
            for end in ('', '.epoch'):
                same = (tmp_path / f'{name}_1{end}').read_bytes()
                made = tmp_path / f'{name}_{count}{end}'
                assert made.read_bytes() == same
        lines = [x for x in log.splitlines() if x.startswith('EpochSummary')]
        assert lines == one


TRAININGS = {
    'max': {'fusion': 'max'},
    'mean': {'fusion': 'mean'},
    # Each process hides pixels by the maps of all, which the main one sends.
    'drop': {'type': 'oaa_mm.OAADropHook', 'start_epoch': 0},
}


def test_a_training_in_processes_equals_one(data_root, tmp_path):  # noqa: F811
    for name, options in TRAININGS.items():
        cfg = make_config(
            data_root, tmp_path / f'{name}_1', flip=True, **options
        )
        cfg.optim_wrapper.optimizer.lr = 0.0  # maps depend on images alone
        train(cfg)
    tasks = [
        (
            'train',
            {
                'data_root': str(data_root),
                'work_dir': str(tmp_path / f'{name}_3'),
                **options,
            },
        )
        for name, options in TRAININGS.items()
    ]
    log = run_processes(3, *tasks)
    assert log.count('fused in') == 9
    assert log.count('exchanged in') == 9
    for name, epoch in product(TRAININGS, (1, 2, 3)):
        file = f'attention_epoch_{epoch}.safetensors'
        one = (tmp_path / f'{name}_1' / file).read_bytes()
        assert (tmp_path / f'{name}_3' / file).read_bytes() == one
    stores = [final_store(tmp_path / f'{n}_3') for n in ('max', 'drop')]
    assert len(stores[0].image_ids) == 8
    # The second epoch hid something, so that attention went elsewhere.
    assert any((stores[0][p] != stores[1][p]).any() for p in stores[0])


@pytest.mark.slow
def test_resuming_in_the_middle_of_a_declared_epoch(data_root, tmp_path):  # noqa: F811
    """Checkpoints in the middle of an epoch hold what all processes saw."""
    arguments = {
        'data_root': str(data_root),
        'work_dir': str(tmp_path),
        'iterations': {'interval': 2, 'max_iters': 9},
        'keep_epoch_maps': True,
        # Its maps of the first epoch have to be restored in both.
        **TRAININGS['drop'],
    }
    log = run_processes(2, ('train', arguments))
    assert 'outside of CheckpointHook' not in log
    # Iteration 4 begins the second epoch; in it each process had one image,
    # the last of its four.
    begun = AttentionAccumulator(keep_epoch_maps=True)
    begun.load(tmp_path / 'attention_iter_4.safetensors')
    begun.finish_epoch(1)
    assert len(begun.epoch_maps.image_ids) == 2
    names = [f'attention_epoch_{n}.safetensors' for n in (2, 3)]
    names += [f'epoch_maps_{n}.safetensors' for n in (2, 3)]
    expected = {name: (tmp_path / name).read_bytes() for name in names}
    for name in names:
        (tmp_path / name).unlink()
    arguments['resume'] = 'iter_4.pth'
    log = run_processes(2, ('train', arguments))
    assert 'restored' in log
    assert expected == {n: (tmp_path / n).read_bytes() for n in names}
