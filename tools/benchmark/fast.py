"""From tags to a finished DeepLab, in mixed precision and without."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from mmengine.config import Config

#: Way -> words of the command.
WAYS = {'plain': [], 'amp': ['--amp']}
#: Training -> its config. The first two have epochs, and their model makes
#: maps of all training images in the end.
TRAININGS = {
    'oaa': 'configs/voc_mini/oaa_r18.py',
    'oaa_plus': 'configs/voc_mini/oaa_plus_r18.py',
    'segmentation': 'configs/voc_mini/deeplabv3plus_r18.py',
}
#: Iterations that do not count: the first ones of a size are slower, as
#: oneDNN builds its kernels then, which matters in a short training only.
WARMUP = 10
_PARTS = ('train', 'val', 'test')


def fast_mode(
    root: Path,
    *,
    iterations: int = 40,
    repeats: int = 1,
    data: str = '../shared/data/voc_mini',
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Time trainings, validations and maps of the pipeline of voc_mini.

    Some iterations of each are timed by mmengine, the ways in turn, and their
    median is taken for each one of the full length. Labels, evaluation and the
    start of commands are the same in both ways and not counted.

    Args:
        root (Path): Folder of the repository, from which commands run.
        iterations (int): Iterations of a training, more than ten. Defaults
            to 40.
        repeats (int): Rounds. Defaults to 1.
        data (str): Folder of the data set, seen from `root`.
        more (Mapping[str, Any] | None): Further entries of all configs.

    Returns:
        dict[str, Any]: Way -> part -> seconds, with their `total`, and
        `ratio`, how many times faster the way `amp` is.
    """
    train: dict[tuple[str, str], list[float]] = defaultdict(list)
    val: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, config in TRAININGS.items():
                for way, words in WAYS.items():
                    work = Path(folder, way)
                    options = _options(name, iterations, work, data)
                    options |= more or {}
                    command = ['tools/train.py', config, *words]
                    _run(root, [*command, '--work-dir', work / name], options)
                    for key, seconds in _times(work / name):
                        times = train if key == 'train' else val
                        times[way, name].append(seconds)
    results: dict[str, Any] = {}
    for way in WAYS:
        parts = {}
        for name, config in TRAININGS.items():
            steps, batches = _counts(root, config, data)
            parts[name] = steps * median(train[way, name])
            parts[f'{name}, validation and maps'] = batches * median(
                val[way, name]
            )
        results[way] = parts | {'total': sum(parts.values())}
    totals = [results[way]['total'] for way in WAYS]
    return results | {'ratio': totals[0] / totals[1]}


def _options(
    name: str, iterations: int, work: Path, data: str
) -> dict[str, Any]:
    """The full recipe but for its length, on a part of the images."""
    options = {f'{p}_dataloader.dataset.data_root': data for p in _PARTS}
    options |= {
        'default_hooks.logger.interval': 1,
        'log_processor.window_size': 1,
        'train_cfg.val_interval': 1,
    }
    if name == 'segmentation':
        dataset = 'train_dataloader.dataset'
        del options[f'{dataset}.data_root']
        listed = f'{data}/ImageSets/Segmentation/train_aug.txt'
        masks = f'{data}/SegmentationClassAug'
        return options | {
            'train_cfg.max_iters': iterations,
            'train_cfg.val_interval': iterations,
            'default_hooks.checkpoint.interval': iterations,
            f'{dataset}.data_prefix.img_path': f'{data}/JPEGImages',
            f'{dataset}.data_prefix.seg_map_path': masks,
            f'{dataset}.ann_file': listed,
        }
    options |= {
        'train_cfg.max_epochs': 1,
        'train_dataloader.batch_sampler.min_iters': 1,
        'train_dataloader.dataset.indices': 8 * iterations,
    }
    if name == 'oaa':
        return options | {'custom_hooks.0.start_epoch': 0}
    store = work / 'oaa/attention_epoch_1.safetensors'
    return options | {'train_dataloader.dataset.pipeline.0.store': store}


def _run(root: Path, command: list[Any], options: Mapping[str, Any]) -> None:
    words = [f'{key}={value}' for key, value in options.items()]
    done = subprocess.run(
        [sys.executable, *map(str, command), '--cfg-options', *words],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f'{command} failed:\n{done.stderr[-2000:]}')


def _times(work_dir: Path) -> Iterator[tuple[str, float]]:
    """Yield the seconds of iterations of a training and its validation."""
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [line['time'] for line in lines if 'loss' in line]
    yield from (('train', seconds) for seconds in steps[WARMUP:])
    # A validation has one line: the mean of its batches.
    yield from (('val', line['time']) for line in lines if 'loss' not in line)


def _counts(root: Path, config: str, data: str) -> tuple[int, int]:
    """Iterations of the full recipe, and batches of validation and maps."""
    cfg = Config.fromfile(root / config)
    lists = root / data / 'ImageSets/Segmentation'
    images = {
        split: len((lists / f'{split}_cls.txt').read_text().splitlines())
        for split in ('train', 'val')
    }
    loop = cfg.train_cfg
    size = cfg.train_dataloader.batch_size
    val = -(-images['val'] // cfg.val_dataloader.batch_size)
    if 'max_iters' in loop:
        return loop.max_iters, val * (loop.max_iters // loop.val_interval)
    once = -(-images['train'] // size)
    steps = max(once, cfg.train_dataloader.batch_sampler.min_iters)
    maps = -(-images['train'] // cfg.test_dataloader.batch_size)
    rounds = loop.max_epochs // loop.val_interval
    return loop.max_epochs * steps, val * rounds + maps
