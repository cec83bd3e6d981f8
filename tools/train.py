"""Train any stage.

Takes the options of mmseg's own tools/train.py and its configs as well.
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.error import URLError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from mmengine.runner.checkpoint import get_external_models
from torch import distributed as torch_dist
from torch import hub

from oaa_mm.models.vgg import VGG16_URL
from oaa_mm.runs.cli import on_interrupt, run_cli
from oaa_mm.runs.config import add_run_arguments, load_run_config
from oaa_mm.runs.deep_masks import check_deep_masks
from oaa_mm.runs.launch import is_first_process, prepare_launch
from oaa_mm.runs.lock import lock_folder
from oaa_mm.runs.manifest import initial_weights
from oaa_mm.runs.precision import add_amp_argument, complete_amp, use_amp


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Train a model of oaa_mm or of mmseg.',
        epilog='Example: python tools/train.py configs/oaa_vgg16_voc.py '
        '--cfg-options train_dataloader.batch_size=2',
    )
    add_run_arguments(parser)
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on from the newest usable checkpoint in the work-dir',
    )
    parser.add_argument(
        '--test',
        action='store_true',
        help='test the trained model at the end, as tools/test.py does',
    )
    add_amp_argument(parser)
    return parser.parse_args(complete_amp(argv))


@contextmanager
def explain_failures(launcher: str) -> Iterator[None]:
    """Say in words what errors of torch in a training mean.

    Args:
        launcher (str): That of the run; with ``'none'`` there is no other
            process.

    Raises:
        ConnectionError: A collective operation failed in the block, because
            another process of the run has ended.
        ValueError: Batch norm got a single value in the block; the message
            says what to set.
    """
    try:
        yield
    except RuntimeError as error:
        # gloo's errors have no class of their own.
        lost = isinstance(error, torch_dist.DistError) or 'gloo' in str(error)
        if launcher == 'none' or not lost:
            raise
        first_line = str(error).strip().splitlines()[0]
        raise ConnectionError(
            'another process of this run has ended or does not answer (look '
            f'for its own message above): {first_line}. Start all of them '
            'again with --resume'
        ) from error
    except ValueError as error:
        if 'more than 1 value per channel' not in str(error):
            raise
        raise ValueError(
            'batch norm cannot train on a batch of one image whose feature '
            f'map is a single position ({error}). Set '
            'train_dataloader.batch_size to 2 or more and '
            'train_dataloader.drop_last=True, since the last batch of an '
            'epoch may be smaller, or train on larger images or crops'
        ) from error


@contextmanager
def explain_download(cfg: Config) -> Iterator[None]:
    """Say in words which weights could not be downloaded.

    Args:
        cfg (Config): The config of the run.

    Raises:
        ConnectionError: A download failed in the block; the message names
            the URL, the place for the file and the entry of the config.
    """
    try:
        yield
    except URLError as error:
        known = {**get_external_models(), 'vgg16': VGG16_URL}
        folder, copies = osp.join(hub.get_dir(), 'checkpoints'), []
        for place, weights in initial_weights(cfg).items():
            _, separator, name = weights.partition('://')
            if not separator:
                continue  # a file
            url = known.get(name, weights)
            file = osp.join(folder, osp.basename(url))
            copies.append(f'{url} to {file} (or --cfg-options {place}=FILE)')
        raise ConnectionError(
            f'weights could not be downloaded: {error.reason}. Without a '
            f'network, copy {", and ".join(copies)}'
        ) from error


def main(argv: list[str] | None = None) -> None:
    """Train."""
    args = parse_args(argv)
    cfg = load_run_config(args)
    if args.amp:
        use_amp(cfg, args.amp)
    cfg.resume = args.resume
    first = is_first_process(cfg.launcher)
    lock = lock_folder(cfg.work_dir, 'train') if first else nullcontext()
    with on_interrupt('the same command with --resume goes on'), lock:
        runner = train(cfg, args.local_rank)
        if args.test:
            check_deep_masks(runner.test_loop.dataloader.dataset)
            runner.test()


def train(cfg: Config, local_rank: int) -> Runner:
    """Build the runner of a config and train."""
    prepare_launch(cfg, local_rank=local_rank)
    if 'runner_type' in cfg:
        runner = RUNNERS.build(cfg)
    else:
        runner = Runner.from_cfg(cfg)
    with explain_failures(cfg.launcher), explain_download(cfg):
        if runner.train_loop is not None:
            check_deep_masks(runner.train_loop.dataloader.dataset)
        runner.train()
    return runner


if __name__ == '__main__':
    run_cli(main)
