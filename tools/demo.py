"""From nothing to accumulated attention maps and pictures of them.

Runs the commands that a user would type, on the embedded data set, and shows
each of them.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from mmengine.config import Config

from oaa_mm.datasets.toy import TOY_CLASSES
from oaa_mm.utils.cli import run_cli

ROOT = Path(__file__).resolve().parents[1]


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Train with accumulation on the embedded data set, print '
        'how good the maps are and draw them.',
        epilog='Example: python tools/demo.py',
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/demo',
        help='folder for everything that the demo makes; emptied first',
    )
    return parser.parse_args(argv)


def commands(work_dir: Path, data: Path) -> list[list[str]]:
    """The commands of the demo, in their order."""
    config = 'configs/toy/oaa_r18_toy.py'
    epochs = Config.fromfile(ROOT / config).train_cfg.max_epochs
    masks = ['--masks', f'{data}/SegmentationClassAug']
    listed = f'{data}/ImageSets/Segmentation/train_aug.txt'
    classes = ['--classes', ','.join(TOY_CLASSES)]
    some = [1, *range(epochs // 4, epochs + 1, epochs // 4)]
    each = [f'{work_dir}/epoch_maps_{e}.safetensors' for e in some]
    shown = [str(e) for e in some]
    make = [] if data.is_dir() else [['tools/make_toy_voc.py', str(data)]]
    return [
        *make,
        ['tools/train.py', config, '--work-dir', str(work_dir)],
        ['tools/test.py', config, f'{work_dir}/epoch_{epochs}.pth']
        + ['--work-dir', str(work_dir)],
        ['tools/evaluate.py', 'attention', *each]
        + [f'{work_dir}/cam.safetensors']
        + [f'{work_dir}/attention_epoch_{epochs}.safetensors']
        + [*masks, '--list', listed, *classes]
        + ['--curves', f'{work_dir}/curves.png', '--allow-missing'],
        ['tools/visualize.py', 'strip', str(work_dir), '--random', '4']
        + ['--epochs', *shown, '--img-dir', f'{data}/JPEGImages']
        + [*masks, *classes, '--out', f'{work_dir}/strips'],
    ]


def main(argv: list[str] | None = None) -> int:
    """Run the demo."""
    work_dir = Path(parse_args(argv).work_dir)
    start = time.perf_counter()
    shutil.rmtree(ROOT / work_dir, ignore_errors=True)
    for command in commands(work_dir, Path('data/toy')):
        print(f'\n$ python {shlex.join(command)}', flush=True)
        status = subprocess.run(
            [sys.executable, *command], cwd=ROOT, check=False
        ).returncode
        if status:
            print(f'this command failed (status {status})', file=sys.stderr)
            return status
    minutes = (time.perf_counter() - start) / 60
    print(
        f'\nDone in {minutes:.1f} minutes. Look at the pictures: '
        f'{work_dir}/strips/*.png (how attention moves and accumulates) and '
        f'{work_dir}/curves.png.'
    )
    return 0


if __name__ == '__main__':
    run_cli(main)
