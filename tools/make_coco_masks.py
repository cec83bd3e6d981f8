r"""Paint masks of COCO's instances, as segmentation networks need them.

Example:
    python tools/make_coco_masks.py \
        data/coco/annotations/instances_val2017.json --workers 4

Into the folder OUT, here data/coco/masks/val2017, come

    {image_id}.png   palette PNGs of the images' sizes: 0 background, c + 1
                     class c, 255 crowds; images without objects are all
                     background
    manifest.json    what made the masks

The classes are the categories in the order of their ids (of COCO, 1..90 with
gaps become 0..79), as the readers of image-level labels count them. Smaller
objects lie on larger ones. Run the same command again after an interruption:
finished masks are kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

# The second one for `coco.painting`, also in the worker processes.
sys.path[:0] = map(str, Path(__file__).resolve().parents[1::-1])

from oaa_mm.checks import check_number
from oaa_mm.io import IGNORE_INDEX
from oaa_mm.runs.cli import on_interrupt, run_cli


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'instances', metavar='JSON', help='instances_val2017.json or its like'
    )
    parser.add_argument(
        '--out',
        help='folder to make (default: masks/val2017 beside the folder of '
        'annotations/instances_val2017.json)',
    )
    parser.add_argument(
        '--classes',
        help="'coco', names separated by commas, or a text file with one name "
        'a line, where their order is not that of the categories',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='delete masks in OUT that were made of another file or classes',
    )
    parser.add_argument(
        '--workers', type=int, default=1, help='processes (default: 1)'
    )
    return parser.parse_args(argv)


def default_out(instances: Path) -> Path:
    """``masks/val2017`` beside ``annotations/instances_val2017.json``."""
    split = instances.stem.removeprefix('instances_')
    return instances.absolute().parents[1] / 'masks' / split


def make_masks(
    instances: str,
    out: Path,
    *,
    classes: Sequence[str] | None,
    overwrite: bool,
    workers: int,
) -> str:
    """Make the masks of all images, or go on where it stopped.

    Args:
        instances (str): The JSON file.
        out (Path): The folder to make.
        classes (Sequence[str] | None): Names of the classes in their order;
            None takes the categories.
        overwrite (bool): Delete what was made differently.
        workers (int): Processes.

    Returns:
        str: What was done.

    Raises:
        FileNotFoundError: There is no such file.
        FolderInUseError: Another process makes these masks.
        ValueError: pycocotools is absent, the file is not one of instances,
            an object has no outline, or `out` holds something else.
    """
    from coco.painting import (
        InstanceImage,
        InstancePainter,
        import_pycocotools,
    )

    from oaa_mm.io.fingerprint import fingerprint
    from oaa_mm.io.label_folder import MANIFEST
    from oaa_mm.io.manifest import Manifest, enter_folder
    from oaa_mm.io.progress import progress
    from oaa_mm.runs.lock import lock_folder
    from oaa_mm.runs.processes import map_in_processes
    from oaa_mm.tags.formats.coco import read_instances

    check_number('--workers', workers, low=1, integer=True)
    import_pycocotools()  # before gigabytes are read
    table, found = read_instances(instances, classes=classes)
    images = [
        InstanceImage(
            image_id, (entry.get('height'), entry.get('width')), objects
        )
        for image_id, (entry, objects) in zip(table.labels, found, strict=True)
    ]
    check_images(instances, images, len(table.classes))
    manifest = Manifest(
        tool='make_coco_masks',
        parameters={'classes': list(table.classes)},
        inputs={'instances': fingerprint(instances)},
    )
    painter = partial(InstancePainter, instances, out)
    with lock_folder(out, 'masks', option='--out'):
        made = sorted(out.rglob('*.png'))
        enter_folder(out / MANIFEST, manifest, made, overwrite=overwrite)
        results = map_in_processes(painter, images, workers)
        kept = sum(progress(results, 'Masks', len(images)))
    return (
        f'wrote {len(images) - kept} masks of {len(table.classes)} classes '
        f'to {out}; {kept} were there'
    )


def check_images(instances: str, images: Sequence, num_classes: int) -> None:
    """Refuse what no mask can be made of, before the first one is."""
    if num_classes >= IGNORE_INDEX:
        raise ValueError(
            f'{instances} has {num_classes} categories, but a mask holds at '
            f'most {IGNORE_INDEX - 1} classes'
        )
    for image in images:
        if not all(isinstance(n, int) and n > 0 for n in image.size):
            raise ValueError(
                f'{instances}: image {image.image_id!r} has no `height` and '
                '`width`, which its mask needs'
            )


def main(argv: Sequence[str] | None = None) -> None:
    """Make the masks.

    Args:
        argv (Sequence[str], optional): Arguments; those of the command line
            where None.
    """
    from oaa_mm.tags import load_classes

    args = parse_args(argv)
    out = Path(args.out) if args.out else default_out(Path(args.instances))
    with on_interrupt('the same command goes on; finished masks are kept'):
        done = make_masks(
            args.instances,
            out,
            classes=args.classes and load_classes(args.classes),
            overwrite=args.overwrite,
            workers=args.workers,
        )
    print(done)


if __name__ == '__main__':
    run_cli(main)
