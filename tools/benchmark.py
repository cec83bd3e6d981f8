"""Measure speed and memory.

Example:
    python tools/benchmark.py hook --network resnet18
    python tools/benchmark.py all --json work_dirs/benchmark.json

    hook      a training iteration with accumulation / without
    authors   accumulation, against a PNG read and written a pair and step
    batches   images a second, against single images with summed gradients
    loading   reading and augmenting an image / training on it
    store     fusing, saving, loading in GB/s, beside a copy; the exchange
    labels    pseudo-labels a second, by workers and refinement
    regions   contrast, averaging in superpixels and in masks: time, memory
    memory    peak of each stage (toy recipe)
    scale     the memory of maps with 10 and 100 thousand images (--images)
    fast      tags to DeepLab (voc_mini) with and without --amp, from two short
              epochs of each training; not part of `all`
    gpu       training steps on a GPU with and without OAA: time, images a
              second, peak memory, whether anything waits; not part of `all`

What has a ratio is the median of ways that are taken in turn; labels, memory
and scale are single runs. Run nothing else beside it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from oaa_mm.checks import check_number
from oaa_mm.runs.cli import run_cli

PARTS = (
    'hook',
    'authors',
    'batches',
    'loading',
    'store',
    'labels',
    'regions',
    'memory',
    'scale',
)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('part', choices=(*PARTS, 'fast', 'gpu', 'all'))
    parser.add_argument(
        '--network',
        default='resnet18',
        choices=('resnet18', 'resnet50', 'vgg16'),
        help='of hook, batches and loading (default: resnet18)',
    )
    parser.add_argument('--batch-size', type=int, default=5, help='default: 5')
    parser.add_argument(
        '--amp', action='store_true', help='mixed precision, for hook'
    )
    parser.add_argument(
        '--no-amp',
        action='store_true',
        help='of batches: without bf16, slow on CPUs that lack it',
    )
    parser.add_argument(
        '--repeats', type=int, default=5, help='rounds (default: 5)'
    )
    parser.add_argument(
        '--images',
        type=int,
        nargs='+',
        default=[10_000, 100_000],
        help='of scale (default: 10000 100000)',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='of gpu: tiny networks and images, on the CPU if there is no '
        'GPU; the numbers mean nothing',
    )
    parser.add_argument('--plot', help='of scale: draw a picture to this file')
    parser.add_argument('--json', help='write the numbers to this file')
    return parser.parse_args(argv)


def measurements(
    args: argparse.Namespace,
) -> dict[str, Callable[[], dict[str, Any]]]:
    """What each part measures, not run yet.

    Args:
        args (argparse.Namespace): The options.

    Returns:
        dict[str, Callable[[], dict[str, Any]]]: Part -> its numbers.
    """
    from benchmark.authors import pair_cost
    from benchmark.exchange import exchange_speed
    from benchmark.fast import fast_mode
    from benchmark.gpu import gpu_steps
    from benchmark.labels import label_speed
    from benchmark.loading import loading_share
    from benchmark.memory import stage_memory
    from benchmark.regions import region_cost
    from benchmark.scale import scale_costs
    from benchmark.store import store_speed
    from benchmark.training import batch_speed, hook_cost

    rounds = {'repeats': args.repeats}
    batches = {'batch_size': args.batch_size, **rounds}
    return {
        'hook': lambda: hook_cost(args.network, autocast=args.amp, **batches),
        'authors': lambda: pair_cost(**batches),
        'batches': lambda: batch_speed(
            args.network, amp=not args.no_amp, **batches
        ),
        'loading': lambda: loading_share(args.network, **batches),
        'store': lambda: {
            **store_speed(**rounds),
            'exchange of 2 processes': exchange_speed(**rounds),
        },
        'labels': lambda: {
            f'{refine}, {workers} workers': label_speed(
                images=images, workers=workers, refine=refine
            )
            for refine, images in (('none', 200), ('par', 40))
            for workers in (1, 2, 4)
        },
        'regions': lambda: region_cost(**rounds),
        'memory': lambda: stage_memory(ROOT),
        'fast': lambda: fast_mode(ROOT, **rounds),
        'gpu': lambda: gpu_steps(quick=args.quick, **rounds),
        'scale': lambda: {
            f'{images:,} images': scale_costs(images) for images in args.images
        },
    }


def show(name: str, value: Any, indent: str = '') -> None:
    """Print numbers, a line each."""
    if not isinstance(value, dict):
        print(f'{indent}{name}: {value:.4g}')
        return
    print(f'{indent}{name}')
    for key, inner in value.items():
        show(key, inner, indent + '  ')


def main(argv: Sequence[str] | None = None) -> None:
    """Measure.

    Args:
        argv (Sequence[str] | None): Arguments; None takes the command line.
    """
    import torch
    from benchmark.scale import plot_scale

    from oaa_mm.io import write_json

    args = parse_args(argv)
    check_number('--batch-size', args.batch_size, low=1)
    check_number('--repeats', args.repeats, low=1)
    results: dict[str, Any] = {}
    if args.plot and args.part not in ('scale', 'all'):
        raise ValueError(f'--plot draws scale, not {args.part}')
    ways = measurements(args)
    for part in PARTS if args.part == 'all' else (args.part,):
        results[part] = ways[part]()
        show(part, results[part])
    if args.plot:
        scale = results['scale'].values()
        plot_scale(dict(zip(args.images, scale, strict=True)), args.plot)
    if args.json:
        results['conditions'] = {
            'torch': torch.__version__,
            'threads': torch.get_num_threads(),
            'device': torch.cuda.get_device_name()
            if torch.cuda.is_available()
            else 'cpu',
            **vars(args),
        }
        write_json(args.json, results)


if __name__ == '__main__':
    run_cli(main)
