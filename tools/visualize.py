r"""Draw attention maps and pseudo-labels, and report on a whole run.

Examples:
    python tools/visualize.py strip work_dirs/oaa_vgg16_voc \
        --random 8 --epochs 1 3 5 last \
        --masks data/VOC2012/SegmentationClassAug
    python tools/visualize.py compare --random 8 \
        --stores work_dirs/oaa/cam.safetensors \
            work_dirs/oaa_plus/oaa_plus.safetensors \
        --labels work_dirs/pseudo_labels --out work_dirs/pictures
    python tools/visualize.py gif work_dirs/oaa_vgg16_voc --ids 2007_000032 \
        --out work_dirs/2007_000032.mp4
    python tools/visualize.py report work_dirs/oaa_plus_voc

Images, masks and classes are those that the stores were made of, where
--img-dir, --masks and --classes name no others.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from oaa_mm.runs.cli import run_cli

if TYPE_CHECKING:
    import numpy as np

    from oaa_mm.attention import AttentionStore
    from oaa_mm.visualization import EpochStores, ImageTiles
    from oaa_mm.visualization.draw import Layout
    from oaa_mm.visualization.layouts import Rows

    Mask = np.ndarray | None
    Stores = Sequence[AttentionStore | EpochStores]


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
    add_common_arguments(parser, out='strips in WORK_DIR')
    parser.set_defaults(run=strip_command)


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
    add_common_arguments(parser, out='comparisons beside the first STORE')
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
    add_number(parser, 'seconds', 0.5, 'how long each epoch is shown')
    add_common_arguments(
        parser, out='films in WORK_DIR; a single image may be a *.gif or *.mp4'
    )
    parser.set_defaults(run=gif_command)


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


def add_number(
    parser: argparse.ArgumentParser, name: str, value: float, text: str
) -> None:
    """Add a number with a default value."""
    parser.add_argument(
        f'--{name}',
        type=type(value),
        metavar='N',
        default=value,
        help=f'{text} (default: {value})',
    )


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
    parser.add_argument(
        '--ids', nargs='+', default=(), metavar='ID', help='image ids'
    )
    add_number(parser, 'best', 3, 'how many of the best images')
    add_number(parser, 'worst', 3, 'how many of the worst images')
    add_number(parser, 'random', 4, 'how many random images')
    add_number(parser, 'seed', 0, 'seed of the random choice')
    add_number(parser, 'epochs', 10, 'most epochs shown, evenly spaced')
    add_number(parser, 'height', 180, 'height of each picture in pixels')
    source = 'default: what the stores have recorded'
    parser.add_argument('--img-dir', help=f'folder of images ({source})')
    parser.add_argument(
        '--masks', help=f'folder of masks, {{image_id}}.png ({source})'
    )
    parser.add_argument(
        '--classes', help=f"class names, as for 'strip' ({source})"
    )
    parser.set_defaults(run=report_command)


def add_common_arguments(parser: argparse.ArgumentParser, *, out: str) -> None:
    """Add what the commands take that draw some images."""
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument('--ids', nargs='+', metavar='ID', help='image ids')
    images.add_argument(
        '--random', type=int, metavar='N', help='N images at random'
    )
    add_number(parser, 'seed', 0, 'seed of --random')
    parser.add_argument(
        '--img-dir', help='folder of images (default: those of the training)'
    )
    parser.add_argument(
        '--masks',
        help='folder of masks, {image_id}.png (default: those that the data '
        'set had)',
    )
    parser.add_argument(
        '--classes',
        help="'voc', 'coco', names separated by commas, or a text file with "
        'one name a line; without background (default: those of the stores, '
        'or voc)',
    )
    add_number(parser, 'alpha', 0.6, 'weight of the colours over the image')
    add_number(parser, 'height', 200, 'height of each picture in pixels')
    parser.add_argument(
        '--out',
        help='folder to write to, or the file of a single image (default: '
        f'{out})',
    )


def strip_command(args: argparse.Namespace) -> None:
    """Run `strip`: read the stores, draw, and say what was drawn."""
    from oaa_mm import visualization as vis

    numbers = vis.select_epochs(args.work_dir, args.epochs, at_most=4)
    epochs = vis.load_epochs(args.work_dir, numbers)

    def layout(image_id: str, tiles: ImageTiles, mask: Mask) -> list[Rows]:
        maps = [epoch.maps_of(image_id) for epoch in epochs]
        return [vis.strip_rows(tiles, maps, mask, per_class=args.per_class)]

    out = Path(args.out or Path(args.work_dir, 'strips'))
    ids = chosen_ids(args, epochs)
    draw(args, epochs, vis.picture_paths(out, ids, ['.png']), layout)
    if all(epoch.current is None for epoch in epochs):
        print('no rows of A: no epoch_maps_*.safetensors of these epochs')
    shown = ', '.join(map(str, numbers))
    print(f'{len(ids)} strips of epochs {shown} in {out}')


def compare_command(args: argparse.Namespace) -> None:
    """Run `compare`: read, draw, and say what was drawn."""
    from oaa_mm import visualization as vis
    from oaa_mm.attention import AttentionStore
    from oaa_mm.evaluation.compare import distinct_names
    from oaa_mm.io import find_by_id, read_mask
    from oaa_mm.io.label_folder import label_dir

    names = distinct_names([*args.stores, *args.labels])
    stores = {names[path]: AttentionStore.open(path) for path in args.stores}
    ids = chosen_ids(args, list(stores.values()))
    files = {
        names[path]: find_by_id(label_dir(path), ids, kind='labels')
        for path in args.labels
    }

    def layout(image_id: str, tiles: ImageTiles, mask: Mask) -> list[Rows]:
        maps = {name: s.maps_of(image_id) for name, s in stores.items()}
        labels = {name: read_mask(f[image_id]) for name, f in files.items()}
        if mask is not None:
            labels['mask'] = mask
        return [vis.comparison_rows(tiles, maps, labels)]

    out = Path(args.out or Path(args.stores[0]).parent / 'comparisons')
    pictures = vis.picture_paths(out, ids, ['.png'])
    draw(args, list(stores.values()), pictures, layout)
    print(f'{len(ids)} pictures in {out}')


def gif_command(args: argparse.Namespace) -> None:
    """Run `gif`: read the stores, animate, and say what was made."""
    from oaa_mm import visualization as vis

    chosen = vis.select_epochs(args.work_dir, args.epochs)
    epochs = vis.load_epochs(args.work_dir, chosen)

    def layout(image_id: str, tiles: ImageTiles, mask: Mask) -> list[Rows]:
        maps = [epoch.maps_of(image_id) for epoch in epochs]
        return vis.film_rows(tiles, maps, mask)

    out = args.out or Path(args.work_dir, 'films')
    ids = chosen_ids(args, epochs[-1:])
    paths = vis.picture_paths(out, ids, vis.FILM_SUFFIXES)
    draw(args, epochs, paths, layout, seconds=args.seconds)
    print(f'{len(paths)} animations of {len(epochs)} epochs in {out}')


def chosen_ids(args: argparse.Namespace, stores: Stores) -> list[str]:
    """Images of the stores that the user names, or some at random."""
    from oaa_mm.visualization import choose_ids

    known = {image_id for store in stores for image_id in store.image_ids}
    return choose_ids(known, ids=args.ids, number=args.random, seed=args.seed)


def draw(
    args: argparse.Namespace,
    stores: Stores,
    paths: Mapping[str, Path],
    layout: Layout,
    **kwargs: float,
) -> None:
    """Draw each image into its file, as the common arguments say."""
    from oaa_mm.attention.record import DataRecord
    from oaa_mm.visualization import draw_pictures

    if args.command == 'compare':
        place = Path(args.stores[0])
    else:
        place = Path(args.work_dir, 'attention_epoch_*.safetensors')
    data = DataRecord.of_stores(stores, place)
    draw_pictures(
        paths,
        layout,
        images=data.find_images(paths, args.img_dir),
        class_names=data.class_names(args.classes),
        masks=data.find_masks(paths, args.masks),
        binary_masks=data.binary_masks,
        alpha=args.alpha,
        height=args.height,
        **kwargs,
    )


def report_command(args: argparse.Namespace) -> None:
    """Run `report`: gather, write the page, and say where it is."""
    from oaa_mm.report import ReportOptions, write_report

    out = Path(args.out or Path(args.work_dirs[0]) / 'report.html')
    given = {**vars(args), 'tile_height': args.height, 'mask_dir': args.masks}
    chosen = {field.name: given[field.name] for field in fields(ReportOptions)}
    report = write_report(args.work_dirs, out, ReportOptions(**chosen))
    for note in report.notes:
        print(note)
    size = out.stat().st_size / 1e6
    images = len(report.cards)
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
