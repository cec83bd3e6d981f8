"""From nothing to a segmentation network trained on tags, with pictures.

Runs the commands that a user would type, on the embedded data set, and shows
each of them.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

from oaa_mm.runs.cli import run_cli

PIPELINE = 'oaa_mm::pipelines/oaa_plus_toy.py'


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Run the whole method on the embedded data set: OAA, '
        'OAA+, pseudo-labels, DeepLab. Prints mIoU per stage and draws what '
        'was learnt. What an earlier demo has finished is not done again.',
        epilog='Example: python tools/demo.py',
    )
    parser.add_argument(
        '--work-dir',
        default='work_dirs/demo',
        help='folder for everything that the demo makes (default: '
        'work_dirs/demo)',
    )
    return parser.parse_args(argv)


def commands(work_dir: Path, data: Path) -> list[list[str]]:
    """The commands of the demo, in their order."""
    make = [] if data.is_dir() else [['toy', str(data)]]
    return [
        *make,
        ['pipeline', PIPELINE, '--work-dir', str(work_dir)] + ['--resume'],
        ['visualize', 'strip', str(work_dir)],
        ['visualize', 'compare', str(work_dir)],
    ]


def main(argv: list[str] | None = None) -> int:
    """Run the demo."""
    work_dir = Path(parse_args(argv).work_dir)
    start = time.perf_counter()
    for command in commands(work_dir, Path('data/toy')):
        words = ['-m', 'oaa_mm', *command]
        print(f'\n$ python {shlex.join(words)}', flush=True)
        status = subprocess.call([sys.executable, *words])
        if status:
            print(f'this command failed (status {status})', file=sys.stderr)
            return status
    minutes = (time.perf_counter() - start) / 60
    print(
        f'\nDone in {minutes:.1f} minutes; the table of mIoU stands above. '
        'Look at the pictures:\n'
        f'  {work_dir}/strips/*.png: how attention moves and accumulates\n'
        f'  {work_dir}/comparisons/*.png: maps, pseudo-label, mask\n'
        f'  {work_dir}/evaluation/curves.png: mIoU, precision and recall\n'
        f'  {work_dir}/report.html: all of it on one page, for a browser'
    )
    return 0


if __name__ == '__main__':
    run_cli(main)
