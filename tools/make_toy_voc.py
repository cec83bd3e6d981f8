"""Write the embedded toy data set in the layout of PASCAL VOC or COCO."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for `toy`

from toy import TOY_CLASSES, make_toy_voc
from toy.coco import make_toy_coco

from oaa_mm.runs.cli import run_cli


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=(
            'Paint a small data set for weakly supervised segmentation '
            f'({len(TOY_CLASSES)} classes: {", ".join(TOY_CLASSES)}) with '
            'masks, XML annotations, saliency maps and image lists; or, with '
            "--coco, in COCO's layout."
        ),
        epilog='example: python tools/make_toy_voc.py data/toy',
    )
    parser.add_argument('out', help='a new or empty folder, e.g. data/toy')
    parser.add_argument(
        '--num-train', type=int, default=300, help='training images (300)'
    )
    parser.add_argument(
        '--num-val', type=int, default=60, help='validation images (60)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of every image (0)'
    )
    parser.add_argument(
        '--coco',
        action='store_true',
        help="the layout of COCO: images and instances JSON (default: VOC's)",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Write the data set and say where it lies."""
    args = parse_args(argv)
    make = make_toy_coco if args.coco else make_toy_voc
    out = make(
        args.out,
        num_train=args.num_train,
        num_val=args.num_val,
        seed=args.seed,
    )
    print(
        f'Wrote {args.num_train} training and {args.num_val} validation '
        f'images to {out}'
    )


if __name__ == '__main__':
    run_cli(main)
