"""Kill runs and resume them: `python tools/crash_test.py`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oaa_mm.runs.cli import run_cli

WHAT = (
    *('oaa', 'oaa_plus', 'labels', 'signals', 'twice', 'processes'),
    *('pipeline', 'long'),
)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Kill tiny trainings, the making of pseudo-labels and the '
        'pipeline by SIGKILL, inside writes and at random moments, resume '
        'them, and compare everything with runs without interruption; '
        'interrupt them, run two at once, kill one of two processes, train '
        'for long.',
        epilog='Example: python tools/crash_test.py --kills 50 --what oaa',
    )
    parser.add_argument(
        '--what',
        nargs='+',
        choices=WHAT,
        default=WHAT,
        help='which runs (default: all)',
    )
    parser.add_argument(
        '--kills', type=int, default=25, help='kills of each (default: 25)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the random moments'
    )
    parser.add_argument(
        '--work-dir', help='a new folder, which is kept (default: none is)'
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Break runs; the exit status is 1 if anything was lost."""
    args = parse_args(argv)
    if args.work_dir is not None:
        return crash(args, Path(args.work_dir))
    with tempfile.TemporaryDirectory() as folder:
        return crash(args, Path(folder))


def crash(args: argparse.Namespace, folder: Path) -> int:
    """Break what was asked for, in a folder."""
    from crash.lab import import_all
    from crash.suite import crash_all
    from crash.world import make_world

    import_all()
    world = make_world(folder.resolve())
    problems = 0
    start = time.monotonic()
    for report in crash_all(
        world, args.what, kills=args.kills, seed=args.seed
    ):
        print(report, f'[{time.monotonic() - start:.0f} s]', flush=True)
        problems += len(report.problems)
    return int(problems > 0)


if __name__ == '__main__':
    run_cli(main)
