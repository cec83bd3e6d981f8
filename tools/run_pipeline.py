"""Run all stages with one command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oaa_mm.pipeline import Pipeline, load_pipeline, run_pipeline
from oaa_mm.pipeline.run import dry_run
from oaa_mm.runs.cli import on_interrupt, run_cli
from oaa_mm.runs.config import OptionsAction


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Run the stages of a pipeline: stages that are done and '
        'still valid are skipped, and a failing stage stops it.',
        epilog='Example: python tools/run_pipeline.py '
        'configs/pipelines/oaa_plus_voc.py --dry-run',
    )
    parser.add_argument('config', help='pipeline config')
    parser.add_argument('--work-dir', help="folder in place of the config's")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='change settings of the pipeline config, for example '
        'compare=[masks,cam,oaa] labels_from=oaa',
    )
    parser.add_argument(
        '--rounds',
        type=int,
        help='train DeepLab so often, from the second time on with labels of '
        'what the one before found (default: `rounds` of the config)',
    )
    parser.add_argument(
        '--seeds',
        type=read_seeds,
        default=(),
        metavar='SEED,...',
        help='run the trainings that the config says are seeded once for '
        'each of these; the table shows means and spreads',
    )
    parser.add_argument(
        '--from',
        dest='first',
        metavar='STAGE',
        help='run this stage and all later ones, done or not',
    )
    parser.add_argument(
        '--until', dest='last', metavar='STAGE', help='stop after this stage'
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on inside a stage that was interrupted',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print the commands and check the data, run nothing else',
    )
    parser.add_argument(
        '--verbose',
        action='store_true',
        help='print what the stages print (default: a line for each stage, '
        'and stage.log in its folder)',
    )
    return parser.parse_args(argv)


def read_seeds(text: str) -> list[int]:
    """``'0,1,2'`` -> [0, 1, 2]."""
    words = text.split(',')
    if not all(map(str.isdecimal, words)) or len({*words}) < len(words):
        raise argparse.ArgumentTypeError(
            f'{text!r} should be different seeds, for example 0,1,2'
        )
    return [int(word) for word in words]


def main(argv: list[str] | None = None) -> int:
    """Run the pipeline."""
    args = parse_args(argv)
    options = args.cfg_options or {}
    if args.rounds is not None:
        options = {**options, 'rounds': args.rounds}
    pipeline = load_pipeline(
        args.config,
        work_dir=args.work_dir,
        options=options,
        seeds=args.seeds,
    )
    if args.dry_run:
        return dry_run(pipeline, first=args.first, last=args.last)
    with on_interrupt('the same command with --resume goes on here'):
        run_pipeline(
            pipeline,
            first=args.first,
            last=args.last,
            resume=args.resume,
            verbose=args.verbose,
        )
    write_page(pipeline)
    return 0


def write_page(pipeline: Pipeline) -> None:
    """Write the report page; a failure here does not undo the stages."""
    from oaa_mm.report import write_report

    page = pipeline.work_dir / 'report.html'
    try:
        write_report([pipeline.work_dir], page)
    except (ValueError, OSError) as error:
        print(f'no report page: {error}')
    else:
        print(f'report page: {page}')


if __name__ == '__main__':
    run_cli(main)
