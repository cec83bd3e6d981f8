"""Look for what is missing, wrong or inconsistent in a data set."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from oaa_mm.doctor import (
    Split,
    check_dataset,
    count_severity,
    print_findings,
    save_findings,
    splits_from_folders,
)
from oaa_mm.runs.cli import run_cli
from oaa_mm.runs.config import OptionsAction
from oaa_mm.tags import READERS, load_classes

EXAMPLES = """examples:
  python tools/check_dataset.py --data-root data/VOC2012 --classes voc \\
      --train-list ImageSets/Segmentation/train_cls.txt \\
      --val-list ImageSets/Segmentation/val.txt
  python tools/check_dataset.py --config configs/oaa_vgg16_voc.py
  python tools/check_dataset.py --config configs/oaa_vgg16_voc.py \\
      --cfg-options train_dataloader.dataset.data_root=/data/VOC2012

The exit status is 1 when there is any error, else 0; warnings do not fail."""


#: Options that go with --data-root alone, and their help.
LAYOUT_OPTIONS = {
    'train_list': 'list of training images',
    'val_list': 'list of validation images',
    'labels': 'labels of any form (default: the lists themselves)',
    'labels_format': 'default: by suffix',
    'img_dir': 'default: JPEGImages',
    'mask_dir': 'default: SegmentationClassAug',
    'img_suffix': 'default: .jpg',
    'mask_suffix': 'default: .png',
}


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--config', help='a config, for its dataloaders')
    source.add_argument('--data-root', help='root of the data set')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='with --config: override entries of it, as in tools/train.py',
    )
    group = parser.add_argument_group(
        'with --data-root', 'paths are relative to the root, or as typed'
    )
    for name, text in LAYOUT_OPTIONS.items():
        group.add_argument(
            f'--{name.replace("_", "-")}',
            choices=READERS if name == 'labels_format' else None,
            help=text,
        )
    parser.add_argument('--saliency-dir', help='default: SaliencyMaps')
    parser.add_argument(
        '--classes',
        help="names: 'voc', 'coco', a text file (one a line), or a,b,c "
        '(default: classes.txt under the root, or those of the labels)',
    )
    parser.add_argument(
        '--binary-masks',
        action='store_true',
        help='255 marks the only class in masks, not ignored pixels',
    )
    parser.add_argument(
        '--workers', type=int, default=4, help='threads (default: 4)'
    )
    parser.add_argument('--json', help='write all findings to this file')
    return parser.parse_args(argv)


def describe_dataset(
    args: argparse.Namespace,
) -> tuple[list[Split], tuple[str, ...] | None]:
    """The splits and classes that the command line asks for."""
    layout = {name: getattr(args, name) for name in LAYOUT_OPTIONS}
    layout = {name: text for name, text in layout.items() if text is not None}
    if args.config is None:
        if args.cfg_options:
            raise ValueError(
                '--cfg-options overrides entries of a config; give --config '
                'in place of --data-root'
            )
        splits = splits_from_folders(
            args.data_root, saliency_dir=args.saliency_dir, **layout
        )
        names = Path(args.data_root, 'classes.txt')
        spec = args.classes
        if spec is None and names.is_file():
            spec = str(names)
        return splits, None if spec is None else load_classes(spec)
    if layout:
        names = ', '.join(f'--{name.replace("_", "-")}' for name in layout)
        raise ValueError(
            f'{names} cannot be combined with --config, which says these '
            'itself; give --data-root in place of --config'
        )
    from oaa_mm.doctor.config import splits_from_config

    splits, classes = splits_from_config(args.config, args.cfg_options)
    if args.saliency_dir:
        folder = Path(args.saliency_dir)
        splits = [
            replace(s, saliency_dir=folder) if 'saliency' in s.needs else s
            for s in splits
        ]
    return splits, load_classes(args.classes) if args.classes else classes


def main(argv: list[str] | None = None) -> int:
    """Check the data set; the exit status is 1 when there are errors."""
    args = parse_args(argv)
    splits, classes = describe_dataset(args)
    if args.binary_masks:
        splits = [replace(split, binary_masks=True) for split in splits]
    findings = check_dataset(splits, classes=classes, workers=args.workers)
    print_findings(findings)
    if args.json:
        save_findings(args.json, findings)
        print(f'wrote {args.json}')
    if count_severity(findings, 'error'):
        return 1
    if any(split.use == 'train' for split in splits):
        print('training can start')
    return 0


if __name__ == '__main__':
    run_cli(main)
