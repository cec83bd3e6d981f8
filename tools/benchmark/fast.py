"""From tags to a finished DeepLab, in mixed precision and without."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
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

    The ways train in turn for two short epochs, timed by mmengine. The first
    is slower, as oneDNN builds its kernels for each size of image: it counts
    as it is, and the median iteration of the second stands for all others of
    the full length. Labels, evaluation and the start of commands are the same
    in both ways and not counted.

    Args:
        root (Path): Folder of the repository, from which commands run.
        iterations (int): Iterations of an epoch. Defaults to 40.
        repeats (int): Rounds. Defaults to 1.
        data (str): Folder of the data set, seen from `root`.
        more (Mapping[str, Any] | None): Further entries of all configs.

    Returns:
        dict[str, Any]: Way -> part -> seconds, with their `total`, and
        `ratio`, how many times faster the way `amp` is.
    """
    rounds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, config in TRAININGS.items():
                counts = _counts(root, config, data)
                for way, words in WAYS.items():
                    work = Path(folder, way)
                    options = _options(name, iterations, work, data)
                    options |= more or {}
                    command = ['tools/train.py', config, *words]
                    _run(root, [*command, '--work-dir', work / name], options)
                    train, val = _seconds(work / name, *counts)
                    rounds[way, name].append(train)
                    rounds[way, f'{name}, validation and maps'].append(val)
    results: dict[str, Any] = {way: {} for way in WAYS}
    for (way, part), seconds in rounds.items():
        results[way][part] = median(seconds)
    for parts in results.values():
        parts['total'] = sum(parts.values())
    plain, amp = (results[way]['total'] for way in WAYS)
    return results | {'ratio': plain / amp}


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
            'train_cfg.max_iters': 2 * iterations,
            'train_cfg.val_interval': 2 * iterations,
            'default_hooks.checkpoint.interval': 2 * iterations,
            f'{dataset}.data_prefix.img_path': f'{data}/JPEGImages',
            f'{dataset}.data_prefix.seg_map_path': masks,
            f'{dataset}.ann_file': listed,
        }
    options |= {
        'train_cfg.max_epochs': 2,
        'train_dataloader.batch_sampler.min_iters': 1,
        'train_dataloader.dataset.indices': 8 * iterations,
    }
    if name == 'oaa':
        return options | {'custom_hooks.0.start_epoch': 0}
    store = work / 'oaa/attention_epoch_2.safetensors'
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


def _seconds(
    work_dir: Path, steps: int, batches: int, validations: int, maps: int
) -> tuple[float, float]:
    """Seconds that the full training takes, and its validations and maps."""
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    train = [line['time'] for line in lines if 'loss' in line]
    first, later = train[: len(train) // 2], train[len(train) // 2 :]
    # A validation has one line: the mean of its batches. The maps are made by
    # another process, which builds the kernels again.
    val = [line['time'] for line in lines if 'loss' not in line]
    built = batches * (val[0] - val[-1]) * (2 if maps else 1)
    return (
        sum(first) + (steps - len(first)) * median(later),
        built + (batches * validations + maps) * val[-1],
    )


def _counts(root: Path, config: str, data: str) -> tuple[int, int, int, int]:
    """Of the full recipe: iterations, batches of a validation, validations,
    and batches of the maps of the training images.
    """
    cfg = Config.fromfile(root / config)
    lists = root / data / 'ImageSets/Segmentation'
    images = {
        split: len((lists / f'{split}_cls.txt').read_text().splitlines())
        for split in ('train', 'val')
    }
    loop = cfg.train_cfg
    size = cfg.train_dataloader.batch_size
    batches = -(-images['val'] // cfg.val_dataloader.batch_size)
    if 'max_iters' in loop:
        return loop.max_iters, batches, loop.max_iters // loop.val_interval, 0
    once = -(-images['train'] // size)
    steps = max(once, cfg.train_dataloader.batch_sampler.min_iters)
    maps = -(-images['train'] // cfg.test_dataloader.batch_size)
    validations = loop.max_epochs // loop.val_interval
    return loop.max_epochs * steps, batches, validations, maps
