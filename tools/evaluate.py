r"""Evaluate attention maps or pseudo-labels against masks, or OAA+ without.

Examples:
    python tools/evaluate.py attention \
        work_dirs/oaa_vgg16_voc/attention_epoch_15.safetensors \
        work_dirs/oaa_vgg16_voc/epoch_maps_15.safetensors \
        --masks data/VOC2012/SegmentationClassAug \
        --curves work_dirs/oaa_vgg16_voc/curves.png
    python tools/evaluate.py labels work_dirs/pseudo_labels \
        --masks data/VOC2012/SegmentationClassAug \
        --list data/VOC2012/ImageSets/Segmentation/train_aug.txt
    python tools/evaluate.py agreement \
        work_dirs/oaa_plus_vgg16_voc/oaa_plus.safetensors \
        --targets work_dirs/oaa_vgg16_voc/attention_epoch_15.safetensors
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from oaa_mm.runs.cli import run_cli

if TYPE_CHECKING:
    from oaa_mm.attention.record import DataRecord

REMEDY = 'Evaluate the images that have them (--list), or finish making them.'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    add_attention_parser(commands)
    add_labels_parser(commands)
    add_agreement_parser(commands)
    return parser.parse_args(argv)


def add_attention_parser(commands: argparse._SubParsersAction) -> None:
    """Add `attention`: maps at every threshold, stores compared."""
    parser = commands.add_parser(
        'attention',
        help='attention maps at every threshold, several stores compared',
        description='Compare attention stores: mIoU over a threshold sweep, '
        'per class, precision, recall and coverage. The first store is the '
        'reference.',
    )
    parser.add_argument(
        'stores',
        nargs='+',
        metavar='STORE',
        help='a store (*.safetensors), the folder of a run (its last store), '
        'or a folder of {image_id}_{class}.png',
    )
    add_common_arguments(parser)
    parser.add_argument(
        '--ignore',
        choices=('drop', 'background'),
        default='drop',
        help='what becomes of pixels of mask value 255 (default: drop)',
    )
    parser.add_argument(
        '--allow-missing',
        action='store_true',
        help='images without any map count as all background; without this '
        'they are an error',
    )
    parser.add_argument(
        '--step',
        type=float,
        default=0.1,
        help='step of the printed threshold sweep (default: 0.1)',
    )
    parser.add_argument(
        '--curves', help='plot the curves to this .png, .svg or .pdf file'
    )
    parser.set_defaults(run=run_attention)


def add_labels_parser(commands: argparse._SubParsersAction) -> None:
    """Add `labels`: folders of pseudo-labels."""
    from oaa_mm.evaluation.scores import LABEL_POLICIES

    parser = commands.add_parser(
        'labels',
        help='pseudo-labels, several folders compared',
        description='Compare pseudo-labels with masks: mIoU, per class, '
        'precision and recall, for each way to treat pixels that are '
        'labelled 255, with the share of these pixels beside it. Pixels of '
        'mask value 255 are always dropped.',
    )
    parser.add_argument(
        'folders',
        nargs='+',
        metavar='DIR',
        help='what make_pseudo_labels.py made, or a folder of {image_id}.png',
    )
    add_common_arguments(parser)
    parser.add_argument(
        '--ignore-policy',
        nargs='+',
        choices=LABEL_POLICIES,
        default=list(LABEL_POLICIES),
        help='what a label of 255 is: drop (the pixel leaves the '
        'statistics), background (it counts as such), error (a false '
        'negative of its class); default: all three, side by side',
    )
    parser.set_defaults(run=run_labels)


def add_agreement_parser(commands: argparse._SubParsersAction) -> None:
    """Add `agreement`: maps of OAA+ against their targets."""
    parser = commands.add_parser(
        'agreement',
        help='maps of OAA+ against their targets; no masks are needed',
        description='Compare the maps of OAA+ with the accumulated maps that '
        'it was trained on: the soft IoU (sum of min / sum of max over all '
        'positions of labelled classes) and the ratio of coverages.',
    )
    parser.add_argument(
        'stores', nargs='+', metavar='STORE', help='stores of OAA+'
    )
    parser.add_argument(
        '--targets', required=True, help='the store of the accumulated maps'
    )
    parser.set_defaults(run=run_agreement)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what all commands take."""
    parser.add_argument(
        '--masks', required=True, help='folder of masks, {image_id}.png'
    )
    parser.add_argument(
        '--list',
        help='text file, one image id per line (default: all images of the '
        'stores, or those in the first folder)',
    )
    parser.add_argument(
        '--classes',
        help="'voc', 'coco', names separated by commas, or a text file with "
        'one name a line; without background (default: those of the stores '
        'or folders, or voc)',
    )
    parser.add_argument(
        '--binary-masks',
        action=argparse.BooleanOptionalAction,
        help='255 marks the only class in masks, not ignored pixels '
        '(default: as in the data set of the stores or folders)',
    )
    parser.add_argument('--json', help='write all scores to this file')
    parser.add_argument(
        '--workers', type=int, default=1, help='threads (default: 1)'
    )


def run_attention(args: argparse.Namespace) -> None:
    """Run `attention`: evaluate, print, and write what was asked for."""
    from oaa_mm.attention import AttentionStore
    from oaa_mm.attention.record import DataRecord
    from oaa_mm.attention.store_names import final_store
    from oaa_mm.evaluation import evaluate_store
    from oaa_mm.evaluation.compare import distinct_names
    from oaa_mm.evaluation.curves import check_plot_path, save_curves
    from oaa_mm.evaluation.tables import attention_report, sweep_thresholds

    thresholds = sweep_thresholds(args.step)
    if args.curves:
        check_plot_path(args.curves)
    paths = [str(final_store(path)) for path in args.stores]
    stores = list(map(AttentionStore.open, paths))
    data = DataRecord.of_stores(stores, paths[0])
    class_names = data.class_names(args.classes)
    known = {i for s in stores for i in (*s.image_ids, *s.negatives)}
    masks = find_masks(args, known, sorted(known))
    results = []
    for path, name in distinct_names(paths).items():
        folder = os.path.isdir(path)
        read = AttentionStore.import_png if folder else AttentionStore.load
        result = evaluate_store(
            read(path),
            masks,
            class_names,
            name=name,
            ignore=args.ignore,
            allow_missing=args.allow_missing,
            binary_masks=is_binary(args, data),
            workers=args.workers,
        )
        results.append(result)
    print(attention_report(results, thresholds=thresholds))
    write_json(args.json, results)
    if args.curves:
        save_curves(args.curves, results)
        print(f'wrote {args.curves}')


def run_labels(args: argparse.Namespace) -> None:
    """Run `labels`: evaluate, print, and write what was asked for."""
    from oaa_mm.attention.record import DataRecord
    from oaa_mm.evaluation import evaluate_labels
    from oaa_mm.evaluation.compare import distinct_names
    from oaa_mm.evaluation.tables import label_report
    from oaa_mm.io import ImageFolder, find_by_id
    from oaa_mm.io.label_folder import label_dir

    data = DataRecord.of_labels(args.folders[0])
    class_names = data.class_names(args.classes)
    names = distinct_names(args.folders)
    folders = {name: label_dir(path) for path, name in names.items()}
    first = ImageFolder(next(iter(folders.values())), '.png', strict=True)
    masks = find_masks(args, first, first.all_ids())
    labels = {
        name: find_by_id(folder, masks, kind='labels', remedy=REMEDY)
        for name, folder in folders.items()
    }
    results = [
        evaluate_labels(
            files,
            masks,
            class_names,
            name=name,
            policies=args.ignore_policy,
            binary_masks=is_binary(args, data),
            workers=args.workers,
        )
        for name, files in labels.items()
    ]
    print(label_report(results))
    write_json(args.json, results)


def run_agreement(args: argparse.Namespace) -> None:
    """Run `agreement`: print a line for each store, and a warning."""
    from oaa_mm.attention import AttentionStore, agreement_of_stores

    targets = AttentionStore.open(args.targets)
    for path in args.stores:
        agreement = agreement_of_stores(AttentionStore.open(path), targets)
        print(f'{path}: {agreement}')
        if warning := agreement.judge().get('warning'):
            print(f'warning: {warning}')


def find_masks(
    args: argparse.Namespace, known: Container[str], ids: Sequence[str]
) -> dict[str, str]:
    """The mask of each listed image, or of each id, before any long work."""
    from oaa_mm.io import find_by_id
    from oaa_mm.tags import read_image_list

    if args.list:
        listed = read_image_list(args.list, known=known)
        ids = [image.image_id for image in listed]
    if not ids:
        paths = args.stores if args.command == 'attention' else args.folders
        raise ValueError(
            f'{paths[0]} holds nothing to evaluate; labels are called '
            '{image_id}.png, maps lie in a store'
        )
    return find_by_id(args.masks, ids, remedy=REMEDY)


def is_binary(args: argparse.Namespace, data: DataRecord) -> bool:
    """Whether 255 marks the only class, as the user or the data say."""
    said = args.binary_masks
    return data.binary_masks if said is None else said


def write_json(path: str | None, results: Sequence) -> None:
    """Write the scores where `--json` asks for it."""
    from oaa_mm.evaluation import write_results

    if path:
        write_results(path, results)
        print(f'wrote {path}')


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
