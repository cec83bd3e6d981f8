"""From nothing to a segmentation network trained on tags, with pictures.

Runs the commands that a user would type, on the embedded data set, and shows
each of them.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
import warnings
from pathlib import Path

from oaa_mm.__main__ import main as oaa_mm_command
from oaa_mm.runs.cli import run_cli
from oaa_mm.runs.precision import has_bf16_units

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
    # To compare: what else a segmentation network learns from, and labels
    # that are made and scored without one.
    settings = ['compare=[cam,masks]', 'compare_labels=oaa']
    if has_bf16_units():
        settings.append('amp=bf16')
    return [
        *make,
        ['pipeline', PIPELINE, '--work-dir', str(work_dir), '--resume']
        + ['--cfg-options', *settings],
        ['visualize', 'strip', str(work_dir)],
        ['visualize', 'compare', str(work_dir)],
    ]


def run(command: list[str]) -> None:
    """Show a command and do in this process what it would do in its own."""
    print(f'\n$ python -m oaa_mm {shlex.join(command)}', flush=True)
    sys.argv[1:] = command
    oaa_mm_command()


def main(argv: list[str] | None = None) -> int:
    """Run the demo."""
    # Of libraries, here and in the stages.
    warnings.simplefilter('ignore')
    os.environ.setdefault('PYTHONWARNINGS', 'ignore')
    work_dir = Path(parse_args(argv).work_dir)
    start = time.perf_counter()
    for command in commands(work_dir, Path('data/toy')):
        run(command)
    minutes = (time.perf_counter() - start) / 60
    print(
        f'\nDone in {minutes:.1f} minutes. What to read in the table above: '
        '"DeepLab" is a small\nsegmentation network, tested on images that '
        'it has not seen. Trained on true masks\nit shows what can be '
        'reached here; labels that were made of tags alone are good\nwhere '
        'it reaches nine tenths of that with them.\n'
        f'  {work_dir}/report.html: all of it on one page, for a browser\n'
        f'  {work_dir}/strips/*.png: how attention moves and accumulates\n'
        f'  {work_dir}/comparisons/*.png: maps, pseudo-label, mask'
    )
    return 0


if __name__ == '__main__':
    run_cli(main)
