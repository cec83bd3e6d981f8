r"""Make pseudo-labels of attention maps (and saliency maps).

Example:
    python tools/make_pseudo_labels.py \
        work_dirs/oaa_vgg16_voc/attention_epoch_15.safetensors \
        --list data/VOC2012/ImageSets/Segmentation/train_aug.txt \
        --saliency-dir data/VOC2012/SaliencyMaps \
        --workers 4

The images and classes are those that the store was trained on; --img-dir and
--classes name others. Into the folder OUT, here
work_dirs/pseudo_labels/oaa_vgg16_voc, come

    labels/{image_id}.png  palette PNGs of the images' sizes: 0 background,
                           c + 1 class c, 255 ignored
    train.txt              the list of images, written when all are done
    summary.json           shares of background, classes and 255; the images
                           that are all 255
    manifest.json          the parameters and inputs that made the labels, and
                           where the images are

The configs in configs/deeplab train on them by one entry,

    train_dataloader.dataset.pseudo_labels=OUT

and any other segmentation config of mmseg by two:

    train_dataloader.dataset.data_prefix.seg_map_path=OUT/labels
    train_dataloader.dataset.ann_file=OUT/train.txt

(with data_root unset and img_path naming the images, or both as absolute
paths). Run the same command again after an interruption: finished labels are
kept. A folder never mixes labels of different parameters or inputs.

Several machines that share OUT make a part each, --part 1/4 to --part 4/4; the
same command without --part then checks that all are there and writes the list.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oaa_mm.runs.cli import on_interrupt, run_cli


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'store',
        metavar='STORE',
        help='attention store (*.safetensors), the folder of a run (its last '
        'store), or a folder of {image_id}_{class}.png',
    )
    parser.add_argument(
        '--out',
        help='folder to make (default: pseudo_labels/RUN beside the folder '
        'RUN of the store)',
    )
    parser.add_argument(
        '--img-dir',
        help='folder of images (default: where the training found them)',
    )
    parser.add_argument(
        '--list',
        dest='image_list',
        metavar='LIST',
        help='text file, one image id per line (default: all of the store)',
    )
    parser.add_argument(
        '--saliency-dir', help='folder of saliency maps, {image_id}.png'
    )
    parser.add_argument(
        '--classes',
        help="'voc', 'coco', names separated by commas, or a text file with "
        'one name a line; without background (default: those of the store, '
        'or voc)',
    )
    add_source(parser)
    add_rules(parser)
    add_refinement(parser)
    parser.add_argument(
        '--allow-missing',
        action='store_true',
        help='listed images without maps get labels that are all 255; '
        'without this they are an error',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='delete labels in OUT that were made differently',
    )
    parser.add_argument(
        '--workers', type=int, default=1, help='processes (default: 1)'
    )
    parser.add_argument(
        '--part',
        type=read_part,
        metavar='I/N',
        help='make one of N parts of the labels, without list and summary',
    )
    return parser.parse_args(argv)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add what may stand in for the maps of STORE."""
    parser.add_argument(
        '--targets',
        metavar='STORE',
        help='the accumulated maps that OAA+ learnt from: labels are made of '
        'the mean of both, or of these alone where the maps of OAA+ reproduce '
        'them poorly',
    )
    parser.add_argument(
        '--accept-oaa-plus',
        action='store_true',
        help='make labels of the maps of OAA+ alone, whatever the comparison '
        'with --targets says',
    )
    parser.add_argument(
        '--segmentor',
        metavar='CHECKPOINT',
        help='a segmentation network trained on labels of a first round: its '
        'scores of the tagged classes replace the maps of STORE; with '
        '--background rest',
    )


def read_part(text: str) -> tuple[int, int]:
    """``'2/4'`` -> (2, 4)."""
    try:
        number, parts = map(int, text.split('/'))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not of the form I/N, for example 2/4'
        ) from error
    return number, parts


def add_refinement(parser: argparse.ArgumentParser) -> None:
    """Add the refinement and its parameters."""
    from oaa_mm.runs.config import OptionsAction

    parser.add_argument(
        '--refine',
        default='none',
        metavar='STEP[,STEP]',
        help='follow the image, in steps: contrast (what looks like the '
        'border is background, needs `pip install scikit-image`), regions '
        '(average in superpixels, needs it as well, or in masks of '
        '--regions-dir), grabcut (colours of object and surroundings), par '
        '(pixel-adaptive refinement), crf (dense CRF, needs `pip install '
        'pydensecrf2`); without saliency maps contrast,regions,grabcut is '
        'best (default: none)',
    )
    parser.add_argument(
        '--regions-dir',
        help='folder of masks for --refine regions, {image_id}.npz or '
        '{image_id}.json, for example of Segment Anything',
    )
    parser.add_argument(
        '--refine-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='parameters of the steps, for example iterations=5 or, where '
        'several have it, par.iterations=5',
    )


def add_rules(parser: argparse.ArgumentParser) -> None:
    """Add the background and every constant."""
    from oaa_mm.pseudo_labels import BACKGROUNDS, LabelRules

    rules = parser.add_argument_group('rules')
    rules.add_argument(
        '--background',
        default='saliency',
        choices=BACKGROUNDS,
        help='where the score of the background comes from (default: '
        'saliency)',
    )
    for constant in LabelRules.constants():
        rules.add_argument(
            '--' + constant.name.replace('_', '-'),
            type=float,
            default=constant.default,
            help=f'{constant.metadata["help"]} (default: '
            f'{constant.default:.4g})'.replace('%', '%%'),
        )


def default_out(store: Path) -> Path:
    """``work_dirs/pseudo_labels/own`` for a store in ``work_dirs/own``."""
    run = store if store.is_dir() else store.parent
    if not run.name:  # the working directory
        run = run.absolute()
    return run.parent / 'pseudo_labels' / run.name


def main(argv: Sequence[str] | None = None) -> int | None:
    """Make the labels.

    Args:
        argv (Sequence[str], optional): Arguments; those of the command line
            where None.

    Returns:
        int | None: The exit status; None is success.
    """
    from oaa_mm.pseudo_labels import LabelRules
    from oaa_mm.pseudo_labels.folder import make_label_folder
    from oaa_mm.tags.classes import load_classes

    args = parse_args(argv)
    args.out = args.out or default_out(Path(args.store))
    options = dict(vars(args))
    classes = options.pop('classes')
    rules = {f.name: options.pop(f.name) for f in fields(LabelRules)}
    with on_interrupt('the same command goes on; finished labels are kept'):
        summary = make_label_folder(
            class_names=classes and load_classes(classes),
            rules=LabelRules(**rules),
            **options,
        )
    print(summary.table())
    if args.part is None:
        print(f'wrote {args.out}')
    else:
        print(
            'part {} of {} is done; when all are, the same command without '
            '--part writes the list'.format(*args.part)
        )


if __name__ == '__main__':
    run_cli(main)
