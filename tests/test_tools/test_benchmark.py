"""tools/benchmark.py measures what it says, on the smallest sizes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmark.authors import fuse_png, pair_cost
from benchmark.fast import TRAININGS, _counts, _seconds
from benchmark.gpu import WAYS, gpu_steps
from benchmark.labels import label_speed
from benchmark.loading import loading_share
from benchmark.memory import peak_memory
from benchmark.samples import (
    NETWORKS,
    TrainingStep,
    make_batch,
    make_classifier,
)
from benchmark.scale import plot_scale, scale_costs
from benchmark.store import random_store, store_speed
from benchmark.timing import timed_in_turn
from benchmark.training import batch_speed, hook_cost
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def test_ways_take_turns_and_warmups_do_not_count():
    calls = []

    def slow():
        calls.append('slow')
        time.sleep(0.02 if len(calls) > 2 else 0.5)

    seconds = timed_in_turn(
        {'slow': slow, 'fast': lambda: calls.append('fast')}, repeats=3
    )
    assert calls == ['slow', 'fast'] * 4
    assert 0.02 <= seconds['slow'] < 0.4
    assert seconds['fast'] < 0.01


def test_the_baseline_accumulates_as_the_authors_do(tmp_path):
    import cv2
    import torch

    fuse_png(tmp_path, 'a', 3, torch.tensor([[1.0, -2.0], [0.0, 4.0]]))
    fuse_png(tmp_path, 'a', 3, torch.tensor([[4.0, 1.0], [0.0, 2.0]]))
    assert cv2.imread(str(tmp_path / 'a_3.png'), 0).tolist() == [
        [255, 63],
        [0, 255],
    ]


@pytest.mark.parametrize('network', NETWORKS)
def test_classifiers_train_on_the_batches(network):
    batch = make_batch(2, height=32, width=48)
    assert batch['inputs'][0].shape == (3, 32, 48)
    step = TrainingStep(make_classifier(network))
    assert {sample.image_id for sample in step(batch)} == {'im0', 'im1'}


def test_ratios(monkeypatch):
    small = make_batch(2, height=32, width=32)
    for name in ('make_batch',):
        monkeypatch.setattr(f'benchmark.training.{name}', lambda *_: small)
    cost = hook_cost('resnet18', iterations=1, repeats=1)
    assert cost['ratio'] == pytest.approx(cost['with OAA'] / cost['without'])
    speed = batch_speed('resnet18', batch_size=2, repeats=1)
    assert len(speed) == 5
    assert all(row['images/s'] > 0 for row in speed.values())
    assert len(batch_speed('resnet18', repeats=1, amp=False)) == 3
    share = loading_share('resnet18', images=2, repeats=1)
    assert share['loading'] > 0
    pairs = pair_cost(images=10, repeats=1)
    assert pairs['ratio'] == pytest.approx(pairs['PNG a pair'] / pairs['ours'])


def test_store_and_labels():
    store = random_store(30)
    assert len(store) == 30
    assert len(store.image_ids) == 20
    speed = store_speed(30, repeats=1)
    assert speed['copy']['share of copy'] == 1
    assert all(row['GB/s'] > 0 for row in speed.values())
    labels = label_speed(images=4)
    assert labels['images/s'] == labels['per worker'] > 0


def test_scale(tmp_path):
    costs = scale_costs(100)
    assert costs['bytes'] == 150 * 28 * 37
    assert all(value > 0 for value in costs.values())
    plot_scale({100: costs, 200: costs}, tmp_path / 'plot.png')
    with Image.open(tmp_path / 'plot.png') as image:
        assert image.size == (900, 350)


def test_peak_memory_is_that_of_the_command(tmp_path):
    def measure(code):
        return peak_memory(
            [sys.executable, '-c', code], log=tmp_path / 'log.txt'
        )

    plain = measure('pass')
    filled = measure("b = bytearray(b'x') * (100 << 20)")
    assert 95 < filled - plain < 115
    with pytest.raises(ValueError, match='no luck'):
        measure("raise SystemExit('no luck')")


@pytest.mark.slow
def test_the_command_writes_numbers_and_conditions(tmp_path):
    out = tmp_path / 'out.json'
    result = subprocess.run(
        [sys.executable, 'tools/benchmark.py', 'store', '--repeats', '1']
        + ['--json', str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    written = json.loads(out.read_text())
    assert written['store']['fuse']['GB/s'] > 0
    assert written['store']['exchange of 2 processes']['GB/s'] > 0
    assert written['conditions']['device']
    assert 'share of copy' in result.stdout


def test_without_a_gpu_its_measurement_says_so(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ValueError, match='finds none here.*add --quick'):
        gpu_steps()
    way = 'bf16, channels_last'
    monkeypatch.setattr('benchmark.gpu.WAYS', {way: WAYS[way]})
    steps = gpu_steps(repeats=1, quick=True)
    assert list(steps) == ['resnet18, batch 2, bf16, channels_last']
    assert all(row['images/s'] > 0 for row in steps.values())
    assert all(row['waits'] == 0 for row in steps.values())


def test_the_fast_mode_is_extrapolated_to_the_whole_recipe(tmp_path):
    lists = tmp_path / 'data/ImageSets/Segmentation'
    lists.mkdir(parents=True)
    lists.joinpath('train_cls.txt').write_text('a 0\n' * 900)
    lists.joinpath('val_cls.txt').write_text('a 0\n' * 201)
    counts = {
        name: _counts(ROOT, config, str(tmp_path / 'data'))
        for name, config in TRAININGS.items()
    }
    assert counts == {  # iterations, batches, validations, batches of maps
        'oaa': (10 * 113, 41, 10, 180),
        'oaa_plus': (6 * 113, 41, 6, 180),
        'segmentation': (500, 201, 1, 0),
    }
    folder = tmp_path / 'run/vis_data'
    folder.mkdir(parents=True)
    lines = [{'time': time, 'loss': 1} for time in (9, 3, 1, 2, 7)]
    lines[2:2] = [{'time': 0.5}]
    lines += [{'time': 0.25}]
    log = ''.join(f'{json.dumps(line)}\n' for line in lines)
    folder.joinpath('scalars.json').write_text(log)
    # The first epoch as it is, all others as the median of the second.
    # Kernels are built in the first validation, and for the maps once more.
    assert _seconds(tmp_path, 100, 40, 10, 160) == (
        9 + 3 + 98 * 2,
        40 * 0.5 + 9 * 40 * 0.25 + 40 * 0.25 + 160 * 0.25,
    )
    assert _seconds(tmp_path, 100, 8, 1, 0) == (9 + 3 + 98 * 2, 8 * 0.5)


@pytest.mark.slow
def test_the_script_for_a_gpu_runs_through_without_one(tmp_path):
    result = subprocess.run(
        ['bash', 'tools/benchmark/gpu.sh', str(tmp_path), '--quick'],
        cwd=ROOT,
        env={**os.environ, 'PYTHON': sys.executable},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        [name, 'passed']
        for name in ('tests', 'benchmark', 'data', 'oaa', 'oaa_plus')
        + ('labels', 'deeplab', 'killed_and_resumed')
    ]
    assert (tmp_path / 'gpu.json').is_file()
