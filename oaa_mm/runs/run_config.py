"""What `tools/train.py` and `tools/test.py` share: mmseg's command line."""

from __future__ import annotations

import argparse
import os.path as osp

from mmengine.config import Config

from .config import OptionsAction, override_config, read_config

#: Hooks of every run, unless the config has them with other arguments.
RUN_HOOKS = (
    'oaa_mm.ManifestHook',
    'oaa_mm.InvalidLossHook',
    'oaa_mm.ResumeHook',
)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that mmseg's tools have for every run.

    Args:
        parser (argparse.ArgumentParser): Gets `config` and the options.
    """
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir', help='folder for logs, checkpoints and stores'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='override entries of the config, for example '
        'train_cfg.max_epochs=2 train_dataloader.dataset.data_root=PATH',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    # torchrun's forerunner hands it over.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_run_config(args: argparse.Namespace) -> Config:
    """Read a config and lay the command line over it.

    Args:
        args (argparse.Namespace): Parsed options of
            :func:`add_run_arguments`.

    Returns:
        Config: With `launcher` and `work_dir` set; the default work_dir is
        ``work_dirs/`` and the config's name. Custom hooks include a
        ManifestHook, an InvalidLossHook and a ResumeHook.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It cannot be read, or an option has no place in it.
    """
    cfg = read_config(args.config)
    cfg.launcher = args.launcher
    override_config(cfg, args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('./work_dirs', name)
    hooks = cfg.get('custom_hooks') or []
    given = {hook['type'] for hook in hooks}
    added = [dict(type=kind) for kind in RUN_HOOKS if kind not in given]
    cfg.custom_hooks = [*hooks, *added]
    return cfg
