r"""Draw attention maps and pseudo-labels, and report on a whole run.

Examples:
    python tools/visualize.py strip work_dirs/oaa_vgg16_voc \
        --random 8 --epochs 1 3 5 last \
        --img-dir data/VOC2012/JPEGImages \
        --masks data/VOC2012/SegmentationClassAug \
        --out work_dirs/oaa_vgg16_voc/strips
    python tools/visualize.py compare --random 8 \
        --stores work_dirs/oaa/cam.safetensors \
            work_dirs/oaa_plus/oaa_plus.safetensors \
        --labels work_dirs/pseudo_labels \
        --img-dir data/VOC2012/JPEGImages --out work_dirs/pictures
    python tools/visualize.py gif work_dirs/oaa_vgg16_voc --ids 2007_000032 \
        --img-dir data/VOC2012/JPEGImages --out work_dirs/2007_000032.mp4
    python tools/visualize.py report work_dirs/oaa_plus_voc
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from oaa_mm.runs.cli import run_cli


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    add_strip_parser(commands)
    add_compare_parser(commands)
    add_gif_parser(commands)
    add_report_parser(commands)
    return parser.parse_args(argv)


def add_strip_parser(commands: argparse._SubParsersAction) -> None:
    """Add `strip`: how attention grew over the epochs."""
    parser = commands.add_parser(
        'strip',
        help='one picture per image: its attention over the epochs',
        description='Draw, for each image, A (the attention of single epochs) '
        'and M (what has been accumulated), and the mask if there is one.',
    )
    add_epoch_arguments(parser, 'four, evenly spaced')
    parser.add_argument(
        '--per-class',
        action='store_true',
        help='rows for each class in place of all classes blended',
    )
    add_common_arguments(parser)
    parser.set_defaults(run=draw_strip_command)


def add_epoch_arguments(parser: argparse.ArgumentParser, usual: str) -> None:
    """Add the work_dir of a training and the choice of epochs."""
    parser.add_argument(
        'work_dir',
        metavar='WORK_DIR',
        help='holds attention_epoch_*.safetensors (M) and, optionally, '
        'epoch_maps_*.safetensors (A)',
    )
    parser.add_argument(
        '--epochs',
        nargs='+',
        metavar='E',
        help=f"epochs counted from 1, or 'last' (default: {usual})",
    )


def add_compare_parser(commands: argparse._SubParsersAction) -> None:
    """Add `compare`: stages side by side."""
    parser = commands.add_parser(
        'compare',
        help='one picture per image: maps and labels of several stages',
        description='Draw, for each image, its maps in each store, its labels '
        'in each folder, and the mask if there is one, side by side.',
    )
    parser.add_argument(
        '--stores',
        nargs='+',
        required=True,
        metavar='STORE',
        help='stores (*.safetensors), or folders of {image_id}_{class}.png',
    )
    parser.add_argument(
        '--labels',
        nargs='+',
        default=[],
        metavar='DIR',
        help='what make_pseudo_labels.py made, or folders of {image_id}.png',
    )
    add_common_arguments(parser)
    parser.set_defaults(run=compare_command)


def add_gif_parser(commands: argparse._SubParsersAction) -> None:
    """Add `gif`: the accumulation as a film."""
    parser = commands.add_parser(
        'gif',
        help='one animation per image: its attention over the epochs',
        description='Animate, for each image, A (the attention of single '
        'epochs) and M (what has been accumulated) over the epochs.',
    )
    add_epoch_arguments(parser, 'all')
    parser.add_argument(
        '--seconds',
        type=float,
        default=0.5,
        help='how long each epoch is shown (default: 0.5)',
    )
    add_common_arguments(
        parser,
        out='folder for {image_id}.gif, or for a single image a file *.gif '
        'or *.mp4',
    )
    parser.set_defaults(run=gif_command)


def add_report_parser(commands: argparse._SubParsersAction) -> None:
    """Add `report`: one page about a pipeline or training."""
    parser = commands.add_parser(
        'report',
        help='one HTML page: scores, curves and images of a whole run',
        description='Write one self-contained HTML page with what the folders '
        'of a pipeline (tools/run_pipeline.py) or of trainings hold: scores, '
        'per-class IoU, curves, and images with maps, labels and masks. What '
        'is missing is said on the page.',
    )
    parser.add_argument(
        'work_dirs',
        nargs='+',
        metavar='WORK_DIR',
        help='searched with all folders in it',
    )
    parser.add_argument(
        '--out', help='the page (default: report.html in the first WORK_DIR)'
    )
    parser.add_argument('--ids', nargs='+', metavar='ID', help='image ids')
    numbers = {
        'best': (3, 'how many of the best images'),
        'worst': (3, 'how many of the worst images'),
        'random': (4, 'how many random images'),
        'seed': (0, 'of the random images'),
        'epochs': (10, 'how many epochs at most, evenly spaced'),
        'height': (180, 'height of each picture in pixels'),
    }
    for name, (number, text) in numbers.items():
        parser.add_argument(
            f'--{name}',
            type=int,
            metavar='N',
            default=number,
            help=f'{text} (default: {number})',
        )
    source = 'default: what the manifests of the stores say'
    parser.add_argument('--img-dir', help=f'folder of images ({source})')
    parser.add_argument(
        '--masks', help=f'folder of masks, {{image_id}}.png ({source})'
    )
    parser.add_argument(
        '--classes', help=f"class names, as for 'strip' ({source})"
    )
    parser.set_defaults(run=report_command)


def add_common_arguments(
    parser: argparse.ArgumentParser, *, out: str = 'folder for the pictures'
) -> None:
    """Add what the commands take that draw some images."""
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument('--ids', nargs='+', metavar='ID', help='image ids')
    images.add_argument(
        '--random', type=int, metavar='N', help='N images at random'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='of --random (default: 0)'
    )
    parser.add_argument('--img-dir', required=True, help='folder of images')
    parser.add_argument('--masks', help='folder of masks, {image_id}.png')
    parser.add_argument(
        '--classes',
        default='voc',
        help="'voc', 'coco', names separated by commas, or a text file with "
        'one name a line; without background (default: voc)',
    )
    parser.add_argument(
        '--alpha',
        type=float,
        default=0.6,
        help='weight of the colours over the image (default: 0.6)',
    )
    parser.add_argument(
        '--height',
        type=int,
        default=200,
        help='height of each picture in pixels (default: 200)',
    )
    parser.add_argument('--out', required=True, help=out)


def draw_strip_command(args: argparse.Namespace) -> None:
    """Run `strip`: read the stores, draw, and say what was drawn."""
    from oaa_mm.tags.classes import load_classes
    from oaa_mm.visualization import (
        choose_images,
        draw_strips,
        load_epochs,
        select_epochs,
    )

    epochs = load_epochs(
        args.work_dir, select_epochs(args.work_dir, args.epochs)
    )
    written = draw_strips(
        epochs,
        choose_images(
            epochs, ids=args.ids, number=args.random, seed=args.seed
        ),
        args.out,
        img_dir=args.img_dir,
        class_names=load_classes(args.classes),
        mask_dir=args.masks,
        per_class=args.per_class,
        alpha=args.alpha,
        tile_height=args.height,
    )
    if all(epoch.current is None for epoch in epochs):
        print(
            'no rows of A: the work_dir keeps no epoch_maps_*.safetensors of '
            'these epochs'
        )
    numbers = ', '.join(str(epoch.epoch) for epoch in epochs)
    print(f'{len(written)} strips of epochs {numbers} in {args.out}')


def compare_command(args: argparse.Namespace) -> None:
    """Run `compare`: read, draw, and say what was drawn."""
    from oaa_mm.attention import AttentionStore
    from oaa_mm.evaluation.compare import distinct_names
    from oaa_mm.tags.classes import load_classes
    from oaa_mm.visualization import choose_ids, draw_comparisons

    paths = [*args.stores, *args.labels]
    names = dict(zip(paths, distinct_names(paths), strict=True))
    stores = {names[path]: AttentionStore.open(path) for path in args.stores}
    known = {pair[0] for store in stores.values() for pair in store}
    written = draw_comparisons(
        choose_ids(
            sorted(known), ids=args.ids, number=args.random, seed=args.seed
        ),
        args.out,
        stores=stores,
        label_dirs={names[path]: path for path in args.labels},
        img_dir=args.img_dir,
        class_names=load_classes(args.classes),
        mask_dir=args.masks,
        alpha=args.alpha,
        tile_height=args.height,
    )
    print(f'{len(written)} pictures in {args.out}')


def gif_command(args: argparse.Namespace) -> None:
    """Run `gif`: read the stores, animate, and say what was made."""
    from oaa_mm.tags.classes import load_classes
    from oaa_mm.visualization import (
        choose_images,
        draw_animations,
        find_epochs,
        load_epochs,
        maps_over_epochs,
        select_epochs,
    )
    from oaa_mm.visualization.animation import animation_paths

    known = sorted({e for part in find_epochs(args.work_dir) for e in part})
    wanted = args.epochs or [str(epoch) for epoch in known]
    epochs = select_epochs(args.work_dir, wanted)
    ids = choose_images(
        load_epochs(args.work_dir, epochs[-1:]),
        ids=args.ids,
        number=args.random,
        seed=args.seed,
    )
    paths = animation_paths(args.out, ids, args.seconds)
    draw_animations(
        maps_over_epochs(args.work_dir, epochs, ids),
        paths,
        img_dir=args.img_dir,
        class_names=load_classes(args.classes),
        mask_dir=args.masks,
        seconds=args.seconds,
        alpha=args.alpha,
        tile_height=args.height,
    )
    print(f'{len(paths)} animations of {len(epochs)} epochs in {args.out}')


def report_command(args: argparse.Namespace) -> None:
    """Run `report`: gather, write the page, and say where it is."""
    from oaa_mm.report import ImageChoice, write_report

    out = Path(args.out or Path(args.work_dirs[0]) / 'report.html')
    report = write_report(
        args.work_dirs,
        out,
        ImageChoice(
            ids=tuple(args.ids or ()),
            best=args.best,
            worst=args.worst,
            random=args.random,
            seed=args.seed,
            epochs=args.epochs,
            tile_height=args.height,
        ),
        img_dir=args.img_dir,
        mask_dir=args.masks,
        classes=args.classes,
    )
    for note in report.notes:
        print(note)
    size = out.stat().st_size / 1e6
    images = len(report.gallery.cards)
    print(f'{out}: a page of {size:.1f} MB with {images} images')


def main(argv: Sequence[str] | None = None) -> int | None:
    """Run the command.

    Args:
        argv (Sequence[str], optional): Arguments; those of the command line
            where None.

    Returns:
        int | None: The exit status; None is success.
    """
    args = parse_args(argv)
    return args.run(args)


if __name__ == '__main__':
    run_cli(main)
