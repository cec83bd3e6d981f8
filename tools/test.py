"""Test a model, or write its maps: `python tools/test.py CONFIG CHECKPOINT`.

Takes the options of mmseg's own tools/test.py and its configs as well.
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

import oaa_mm  # noqa: F401 (makes `mmseg::...` bases load)
from oaa_mm.utils.cli import run_cli


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Test a model of oaa_mm or of mmseg.',
        epilog='Example: python tools/test.py configs/oaa_vgg16_voc.py '
        'work_dirs/oaa_vgg16_voc/epoch_15.pth',
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='folder for logs and results')
    parser.add_argument(
        '--out', help='folder for the predicted masks (mmseg models)'
    )
    parser.add_argument(
        '--show-dir', help='folder for painted images (mmseg models)'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override entries of the config, for example '
        'model.test_cfg.flip=True',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument(
        '--tta', action='store_true', help='test-time augmentation'
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser.parse_args(argv)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and lay the command line over it."""
    if not osp.isfile(args.checkpoint):
        raise FileNotFoundError(f'no such checkpoint: {args.checkpoint}')
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('./work_dirs', name)
    cfg.load_from = args.checkpoint
    if args.show_dir:
        hook = cfg.default_hooks.get('visualization')
        if hook is None:
            raise ValueError(
                '--show-dir needs default_hooks.visualization in the config'
            )
        hook.draw = True
        cfg.visualizer.save_dir = args.show_dir
    if args.out:
        cfg.test_evaluator.output_dir = args.out
        cfg.test_evaluator.keep_results = True
    if args.tta:
        if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
            raise ValueError(
                '--tta needs `tta_model` and `tta_pipeline` in the config. A '
                'CAMClassifier has its own: --cfg-options '
                'model.test_cfg.flip=True'
            )
        cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
        cfg.tta_model.module = cfg.model
        cfg.model = cfg.tta_model
    return cfg


def main(argv: list[str] | None = None) -> None:
    """Test."""
    runner = Runner.from_cfg(load_config(parse_args(argv)))
    runner.test()


if __name__ == '__main__':
    run_cli(main)
