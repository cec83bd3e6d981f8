"""Test a model, or write its maps.

Takes the options of mmseg's own tools/test.py and its configs as well.
"""

from __future__ import annotations

import argparse
import inspect
import os.path as osp
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import DATASETS, METRICS

from oaa_mm.datasets import ImageLevelDataset
from oaa_mm.registry import class_of
from oaa_mm.runs.cli import run_cli
from oaa_mm.runs.config import add_run_arguments, load_run_config
from oaa_mm.runs.deep_masks import check_deep_masks
from oaa_mm.runs.launch import is_first_process, prepare_launch
from oaa_mm.runs.lock import lock_folder
from oaa_mm.runs.manifest import leaf_datasets
from oaa_mm.runs.precision import add_amp_argument, complete_amp, use_amp


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Test a model of oaa_mm or of mmseg.',
        epilog='Example: python tools/test.py configs/oaa_vgg16_voc.py '
        'work_dirs/oaa_vgg16_voc/epoch_15.pth',
    )
    add_run_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--out', help='folder for the predicted masks (mmseg models)'
    )
    parser.add_argument(
        '--show-dir', help='folder for painted images (mmseg models)'
    )
    parser.add_argument(
        '--tta', action='store_true', help='test-time augmentation'
    )
    parser.add_argument(
        '--binary-masks',
        action='store_true',
        help='255 marks the only class in masks, not ignored pixels '
        '(binary_masks=True of the data set)',
    )
    add_amp_argument(parser)
    return parser.parse_args(complete_amp(argv))


def evaluators(cfg: Config) -> list[dict]:
    """The metrics of the test."""
    metrics = cfg.get('test_evaluator') or []
    return list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]


def write_masks(cfg: Config, folder: str) -> None:
    """Let the config's first metric that can write masks write them."""
    for metric in evaluators(cfg):
        kind = class_of(METRICS, metric['type'])
        if kind and 'output_dir' in inspect.signature(kind).parameters:
            metric.update(output_dir=folder, keep_results=True)
            return
    raise ValueError(
        '--out needs a metric of mmseg that writes masks, such as IoUMetric, '
        'in `test_evaluator` of the config. oaa_mm.AttentionStoreWriter '
        'writes the maps of a CAMClassifier'
    )


def read_binary_masks(cfg: Config) -> None:
    """Let the config's data set read 255 in masks as the class."""
    for dataset in leaf_datasets(cfg.test_dataloader.dataset):
        kind = class_of(DATASETS, dataset['type'])
        if not issubclass(kind, ImageLevelDataset):
            raise ValueError(
                '--binary-masks is for ImageLevelDataset, but '
                f'test_dataloader has a {kind.__name__}; write 1 into its '
                'masks in place of 255'
            )
        dataset['binary_masks'] = True


def show_in(cfg: Config, folder: str) -> None:
    """Let the config's visualization hook paint into a folder."""
    hook = cfg.default_hooks.get('visualization')
    if hook is None:
        raise ValueError(
            '--show-dir needs default_hooks.visualization in the config'
        )
    hook.draw = True
    cfg.visualizer.save_dir = folder


def use_tta(cfg: Config) -> None:
    """Turn the config's model and pipeline into those of mmseg's TTA."""
    if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
        raise ValueError(
            '--tta needs `tta_model` and `tta_pipeline` in the config. A '
            'CAMClassifier has its own: --cfg-options '
            'model.test_cfg.flip=True'
        )
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model


def writes_store(cfg: Config) -> bool:
    """Whether a second test in the work_dir would write the same file."""
    return any('out_file' in metric for metric in evaluators(cfg))


def main(argv: list[str] | None = None) -> None:
    """Test."""
    args = parse_args(argv)
    if not osp.isfile(args.checkpoint):
        raise FileNotFoundError(f'no such checkpoint: {args.checkpoint}')
    cfg = load_run_config(args)
    cfg.load_from = args.checkpoint
    if args.show_dir:
        show_in(cfg, args.show_dir)
    if args.out:
        write_masks(cfg, args.out)
    if args.amp:
        use_amp(cfg, args.amp)
    if args.tta:
        use_tta(cfg)
    if args.binary_masks:
        read_binary_masks(cfg)
    alone = nullcontext()
    if writes_store(cfg) and is_first_process(cfg.launcher):
        alone = lock_folder(cfg.work_dir, 'test')
    with alone:
        prepare_launch(cfg, local_rank=args.local_rank)
        runner = Runner.from_cfg(cfg)
        if runner.test_loop is not None:
            check_deep_masks(runner.test_loop.dataloader.dataset)
        runner.test()


if __name__ == '__main__':
    run_cli(main)
