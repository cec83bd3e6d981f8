"""Convert image-level labels from one form to another, or compare two."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.table import Column, Table

from oaa_mm.checks import name_some
from oaa_mm.runs.cli import run_cli
from oaa_mm.tags import (
    READERS,
    WRITERS,
    LabelDiff,
    diff_labels,
    load_classes,
    read_labels,
    select_listed,
    write_labels,
)

EXAMPLES = """examples:
  python tools/convert_labels.py VOC2012/Annotations --to list --out train.txt
  python tools/convert_labels.py VOC2012/Annotations \\
      --list VOC2012/ImageSets/Segmentation/val.txt --out val_cls.txt
  python tools/convert_labels.py train_cls.txt --classes voc --out labels.npy
  python tools/convert_labels.py cls_labels.npy --diff train_cls.txt

The exit status of --diff is 0 when both are equal and 1 when they differ.
In the list of images, -class is a label that only SRC has, +class one that
only the other source has."""

#: The most images that are listed one by one.
LISTED = 20


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Parse the command line.

    Args:
        argv (list[str], optional): Arguments. Defaults to those of Python.

    Returns:
        argparse.Namespace: The options.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('src', help='file or folder of labels')
    parser.add_argument(
        '--format', choices=READERS, help='form of SRC (default: by suffix)'
    )
    parser.add_argument(
        '--classes',
        help="names: 'voc', 'coco', a text file (one a line), or a,b,c",
    )
    parser.add_argument(
        '--list',
        metavar='FILE',
        help='keep only the images of this list, one a line, in its order '
        '(with --diff: of both sources)',
    )
    parser.add_argument(
        '--binary-masks',
        action='store_true',
        help='255 marks the only class in masks, not ignored pixels',
    )
    parser.add_argument('--out', help='file or folder to write')
    parser.add_argument(
        '--to',
        choices=[*WRITERS, 'masks'],
        help='form to write (default: by the suffix of --out)',
    )
    parser.add_argument(
        '--diff', metavar='OTHER', help='compare SRC with these labels'
    )
    parser.add_argument('--diff-format', choices=READERS, help='form of OTHER')
    args = parser.parse_args(argv)
    if (args.out is None) == (args.diff is None):
        parser.error('give either --out (convert) or --diff (compare)')
    if args.diff is None and args.diff_format is not None:
        parser.error('--diff-format needs --diff')
    if args.diff is not None and args.to is not None:
        parser.error('--to needs --out, not --diff')
    return args


def counts_table(diff: LabelDiff, names: Sequence[str]) -> Table:
    """The classes in which images differ, and how many do.

    Args:
        diff (LabelDiff): What :func:`diff_labels` found.
        names (Sequence[str]): Names of the classes.

    Returns:
        Table: A row for each class, and the sums.
    """
    table = Table(
        'class',
        Column('only in A', justify='right'),
        Column('only in B', justify='right'),
        title='Labels of common images that only one source has',
    )
    for index, counts in diff.counts.items():
        table.add_row(names[index], *map(str, counts))
    table.add_section()
    totals = map(sum, zip(*diff.counts.values(), strict=True))
    table.add_row('all', *map(str, totals))
    return table


def print_diff(diff: LabelDiff, names: tuple[str, str]) -> None:
    """Print a summary, a table per class and the first changed images.

    Args:
        diff (LabelDiff): What :func:`diff_labels` found.
        names (tuple[str, str]): What A and B are, e.g. their paths.
    """
    print(f'A: {names[0]}\nB: {names[1]}')
    print(
        f'{diff.num_common} images in both, {len(diff.changed)} of them with '
        f'other labels'
    )
    for side, only in (('A', diff.only_in_a), ('B', diff.only_in_b)):
        if only:
            print(
                f'{len(only)} images only in {side}: {name_some(only, LISTED)}'
            )
    if diff.equal:
        print('the labels are equal')
    if not diff.changed:
        return
    classes = diff.classes or [str(i) for i in range(max(diff.counts) + 1)]
    Console().print(counts_table(diff, classes))
    for image_id in list(diff.changed)[:LISTED]:
        signs = [
            f'{sign}{classes[index]}'
            for sign, extra in zip('-+', diff.changed[image_id], strict=True)
            for index in extra
        ]
        print(f'{image_id}: {" ".join(signs)}')
    if len(diff.changed) > LISTED:
        print(f'... and {len(diff.changed) - LISTED} more images')


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Args:
        argv (list[str], optional): Arguments. Defaults to those of Python.

    Returns:
        int: 0, or 1 when the compared labels differ.
    """
    args = parse_args(argv)
    classes = None if args.classes is None else load_classes(args.classes)
    read = partial(
        read_labels, classes=classes, binary_masks=args.binary_masks
    )
    table = read(args.src, format=args.format)
    if args.list is not None:
        table = select_listed(table, args.list)
    if args.diff is None:
        write_labels(table, args.out, format=args.to)
        print(f'wrote the labels of {len(table)} images to {args.out}')
        return 0
    other = read(args.diff, format=args.diff_format)
    if args.list is not None:
        other = select_listed(other, args.list)
    diff = diff_labels(table, other)
    print_diff(diff, (args.src, args.diff))
    return 0 if diff.equal else 1


if __name__ == '__main__':
    run_cli(main)
