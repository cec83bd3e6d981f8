r"""Draw attention maps and pseudo-labels, and report on a whole run.

Examples:
    python tools/visualize.py report work_dirs/oaa_plus_voc
    python tools/visualize.py strip work_dirs/oaa_vgg16_voc
    python tools/visualize.py film work_dirs/oaa_vgg16_voc --class dog
    python tools/visualize.py compare work_dirs/oaa_plus_voc
    python tools/visualize.py compare work_dirs/oaa_vgg16_voc \
        work_dirs/oaa_resnet50_voc --ids 2007_000032

RUN is the folder of a training or of a whole pipeline. Images, masks and
classes are those that it was trained on, where --img-dir, --masks and
--classes name no others. Without --out, all commands write into RUN, the first
one if there are several; where it is a single store, or holds labels or maps
alone, into the folder that it is in.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from oaa_mm.runs.cli import run_cli

if TYPE_CHECKING:
    import numpy as np

    from oaa_mm.attention.by_image import MapsByImage
    from oaa_mm.attention.record import DataRecord
    from oaa_mm.visualization import EpochStores, ImageTiles
    from oaa_mm.visualization.draw import Layout
    from oaa_mm.visualization.layouts import Rows

    Mask = np.ndarray | None

NUM_IMAGES = 8


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    add_report_parser(commands)
    add_strip_parser(commands)
    add_film_parser(commands)
    add_compare_parser(commands)
    return parser.parse_args(argv)


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
    add_runs(parser)
    parser.add_argument(
        '--out', help='the page (default: report.html in the first RUN)'
    )
    parser.add_argument(
        '--ids', nargs='+', default=(), metavar='ID', help='image ids'
    )
    add_number(
        parser, 'moving', 3, 'how many images in which attention moves most'
    )
    add_number(parser, 'best', 3, 'how many of the best images')
    add_number(parser, 'worst', 3, 'how many of the worst images')
    add_number(parser, 'random', 4, 'how many random images')
    add_number(parser, 'seed', 0, 'seed of the random choice')
    add_number(parser, 'epochs', 10, 'most epochs shown, evenly spaced')
    add_data_arguments(parser)
    parser.set_defaults(run=report_command)


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
    add_image_arguments(parser, out='strips in RUN')
    parser.set_defaults(run=strip_command)


def add_film_parser(commands: argparse._SubParsersAction) -> None:
    """Add `film`: the accumulation in motion."""
    parser = commands.add_parser(
        'film',
        help='one animation per image: its attention over the epochs',
        description='Animate, for each image, A (the attention of single '
        'epochs) and M (what has been accumulated) over the epochs.',
    )
    add_epoch_arguments(parser, 'all')
    add_number(parser, 'seconds', 0.5, 'how long each epoch is shown')
    add_image_arguments(
        parser, out='films in RUN; a single image may be a *.gif or *.mp4'
    )
    parser.set_defaults(run=film_command)


def add_compare_parser(commands: argparse._SubParsersAction) -> None:
    """Add `compare`: stages side by side."""
    parser = commands.add_parser(
        'compare',
        help='one picture per image: maps and labels of one or several runs',
        description='Draw, for each image, all maps and labels that the runs '
        'hold, and the mask if there is one, side by side. Of a training, the '
        'last accumulated maps are shown.',
    )
    add_runs(parser)
    parser.add_argument(
        '--labels',
        nargs='+',
        default=[],
        metavar='DIR',
        help='folders of {image_id}.png that other programs have made',
    )
    add_image_arguments(parser, out='comparisons in the first RUN')
    parser.set_defaults(run=compare_command)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add the folders that are searched for stores and labels."""
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='RUN',
        help='folder of a training, a pipeline, or labels of '
        'make_pseudo_labels.py, searched with all folders in it; a store, or '
        'a folder of {image_id}_{class}.png',
    )


def add_epoch_arguments(parser: argparse.ArgumentParser, usual: str) -> None:
    """Add the folder of a training and the choice of epochs."""
    parser.add_argument(
        'work_dir',
        metavar='RUN',
        help='folder of a training, or of a pipeline with one: holds '
        'attention_epoch_*.safetensors (M) and, optionally, '
        'epoch_maps_*.safetensors (A)',
    )
    parser.add_argument(
        '--epochs',
        nargs='+',
        metavar='E',
        help=f"epochs counted from 1, or 'last' (default: {usual})",
    )


def add_image_arguments(parser: argparse.ArgumentParser, *, out: str) -> None:
    """Add what the commands take that draw some images."""
    images = parser.add_mutually_exclusive_group()
    images.add_argument('--ids', nargs='+', metavar='ID', help='image ids')
    images.add_argument(
        '--random',
        type=int,
        metavar='N',
        default=NUM_IMAGES,
        help='N images at random, of several classes where there are such '
        f'(default: {NUM_IMAGES})',
    )
    parser.add_argument(
        '--class',
        dest='class_name',
        metavar='NAME',
        help='only images with a map of this class',
    )
    add_number(parser, 'seed', 0, 'seed of --random')
    add_data_arguments(parser)
    add_number(parser, 'height', 200, 'height of each picture in pixels')
    parser.add_argument(
        '--out',
        help='folder to write to, or the file of a single image (default: '
        f'{out})',
    )


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the places of a data set that has moved, or was not recorded."""
    source = 'default: those of the training'
    parser.add_argument('--img-dir', help=f'folder of images ({source})')
    parser.add_argument(
        '--masks', help=f'folder of masks, {{image_id}}.png ({source})'
    )
    parser.add_argument(
        '--classes',
        help="'voc', 'coco', names separated by commas, or a text file with "
        f'one name a line; without background ({source}, or voc)',
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


def strip_command(args: argparse.Namespace) -> None:
    """Run `strip`: read the stores, draw, and say what was drawn."""
    from oaa_mm import visualization as vis

    numbers, epochs, data = open_epochs(args, at_most=4)

    def layout(image_id: str, tiles: ImageTiles, mask: Mask) -> list[Rows]:
        maps = [epoch.maps_of(image_id) for epoch in epochs]
        return [vis.strip_rows(tiles, maps, mask, per_class=args.per_class)]

    if all(epoch.current is None for epoch in epochs):
        print('no rows of A: no epoch_maps_*.safetensors of these epochs')
    stores = [store for epoch in epochs for store in epoch.stores]
    what = f'strips of epochs {", ".join(map(str, numbers))}'
    ids = chosen_ids(args, data, stores)
    draw(args, data, ids, layout, what, out_path(args.work_dir, 'strips'))


def film_command(args: argparse.Namespace) -> None:
    """Run `film`: read the stores, animate, and say what was made."""
    from oaa_mm import visualization as vis

    _, epochs, data = open_epochs(args)

    def layout(image_id: str, tiles: ImageTiles, mask: Mask) -> list[Rows]:
        maps = [epoch.maps_of(image_id) for epoch in epochs]
        return vis.film_rows(tiles, maps, mask)

    ids = chosen_ids(args, data, epochs[-1].stores)
    what = f'films of {len(epochs)} epochs'
    out = out_path(args.work_dir, 'films')
    suffixes, seconds = vis.FILM_SUFFIXES, args.seconds
    draw(args, data, ids, layout, what, out, suffixes, seconds=seconds)


def compare_command(args: argparse.Namespace) -> None:
    """Run `compare`: read, draw, and say what was drawn."""
    from oaa_mm import visualization as vis
    from oaa_mm.io import find_by_id, read_mask
    from oaa_mm.report.run import ReportOptions, open_run
    from oaa_mm.report.sources import find_sources

    sources = find_sources(args.runs)
    sources.labels |= {path: Path(path) for path in args.labels}
    run = open_run(sources, ReportOptions(epochs=0))
    for note in run.notes:
        print(note)
    stores = run.stores.values()
    ids = chosen_ids(args, run.data, stores, run.image_ids())
    files = {
        name: find_by_id(folder, ids, kind=name, allow_missing=True)
        for name, folder in run.labels.items()
    }

    def layout(image_id: str, tiles: ImageTiles, mask: Mask) -> list[Rows]:
        maps = {name: s.maps_of(image_id) for name, s in run.stores.items()}
        labels = {
            name: (path := found.get(image_id)) and read_mask(path)
            for name, found in files.items()
        }
        if mask is not None:
            labels['mask'] = mask
        return [vis.comparison_rows(tiles, maps, labels)]

    out = out_path(args.runs[0], 'comparisons')
    draw(args, run.data, ids, layout, 'comparisons', out)


def out_path(run: str, name: str) -> Path:
    """Where all commands write by default: the folder of a run."""
    from oaa_mm.report.sources import find_sources

    return find_sources([run]).out_folder(run) / name


def open_epochs(
    args: argparse.Namespace, at_most: int | None = None
) -> tuple[list[int], list[EpochStores], DataRecord]:
    """The chosen epochs of a training, their stores, and its data set."""
    from oaa_mm import visualization as vis
    from oaa_mm.attention.record import DataRecord
    from oaa_mm.report.sources import find_sources

    folder = None
    with suppress(FileNotFoundError):  # the message below says more
        folder = find_sources([args.work_dir]).longest_training()
    folder = folder or Path(args.work_dir)
    numbers = vis.select_epochs(folder, args.epochs, at_most=at_most)
    epochs = vis.load_epochs(folder, numbers)
    place = folder / 'attention_epoch_*.safetensors'
    stores = [store for epoch in epochs for store in epoch.stores]
    return numbers, epochs, DataRecord.of_stores(stores, place)


def chosen_ids(
    args: argparse.Namespace,
    data: DataRecord,
    stores: Iterable[MapsByImage],
    known: Iterable[str] = (),
) -> list[str]:
    """Images that the user names, or some at random, best of many classes."""
    from oaa_mm.checks import check_choice
    from oaa_mm.visualization import choose_ids

    classes: dict[str, set[int]] = {image_id: set() for image_id in known}
    for store in stores:
        for image_id in store.image_ids:
            found = classes.setdefault(image_id, set())
            found.update(store.classes_of(image_id))
    if args.class_name is not None:
        names = data.class_names(args.classes)
        check_choice('--class', args.class_name, names)
        index = names.index(args.class_name)
        classes = {i: found for i, found in classes.items() if index in found}
        if not classes:
            raise ValueError(f'no image has a map of --class {names[index]}')
    return choose_ids(
        classes,
        ids=args.ids,
        number=args.random,
        seed=args.seed,
        preferred=[i for i, found in classes.items() if len(found) > 1],
    )


def draw(
    args: argparse.Namespace,
    data: DataRecord,
    ids: Sequence[str],
    layout: Layout,
    what: str,
    out: Path,
    suffixes: Sequence[str] = ('.png',),
    **options: float,
) -> None:
    """Draw each image into a file, and say how many there are and where."""
    from oaa_mm.visualization import draw_pictures, picture_paths

    paths = picture_paths(args.out or out, ids, suffixes)
    draw_pictures(
        paths,
        layout,
        images=data.find_images(ids, args.img_dir),
        class_names=data.class_names(args.classes),
        masks=data.find_masks(ids, args.masks),
        binary_masks=data.binary_masks,
        height=args.height,
        **options,
    )
    print(f'{len(paths)} {what} in {args.out or out}')


def report_command(args: argparse.Namespace) -> None:
    """Run `report`: gather, write the page, and say where it is."""
    from oaa_mm.report import ReportOptions, write_report

    out = Path(args.out or out_path(args.runs[0], 'report.html'))
    given = {**vars(args), 'mask_dir': args.masks}
    names = {field.name for field in fields(ReportOptions)} & {*given}
    options = ReportOptions(**{name: given[name] for name in names})
    report = write_report(args.runs, out, options)
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
