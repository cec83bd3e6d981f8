"""The toy data set on disk, in the layout of PASCAL VOC."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from oaa_mm.checks import check_number
from oaa_mm.io import atomic_write, write_image, write_mask
from oaa_mm.io.progress import progress
from oaa_mm.tags import LabelTable
from oaa_mm.tags.formats.list_file import write_list
from oaa_mm.tags.formats.voc_xml import annotation

from .catalogue import TOY_CLASSES
from .scene import ToySample, toy_sample

_JPEG_QUALITY = 92

#: The list of a split's ids.
_LISTS = {'train': 'train_aug.txt', 'val': 'val.txt'}

#: The folders of the images' files, and the suffix in each.
_FOLDERS = {
    'JPEGImages': '.jpg',
    'SegmentationClassAug': '.png',
    'SaliencyMaps': '.png',
    'Annotations': '.xml',
}


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with atomic_write(path, 'w') as file:
        file.writelines(f'{line}\n' for line in lines)


def _write_sample(out: Path, image_id: str, sample: ToySample) -> None:
    paths = {f: out / f / f'{image_id}{s}' for f, s in _FOLDERS.items()}
    write_image(paths['JPEGImages'], sample.image, quality=_JPEG_QUALITY)
    write_mask(paths['SegmentationClassAug'], sample.mask)
    write_image(paths['SaliencyMaps'], sample.saliency)
    objects = [(TOY_CLASSES[label], box) for label, box in sample.objects]
    with atomic_write(paths['Annotations']) as file:
        file.write(annotation(image_id, objects, sample.mask.shape))


def begin_folder(
    out: str | os.PathLike, other: str, counts: Mapping[str, int], seed: int
) -> Path:
    """Check the arguments, and mark the folder of a data set as ours.

    Args:
        out (str | os.PathLike): The folder.
        other (str): A name in it that tells another layout.
        counts (Mapping[str, int]): Split -> number of its images.
        seed (int): Seed of the data set.

    Returns:
        Path: The folder, with ``classes.txt``: an interrupted run is known as
        ours by the next one.

    Raises:
        ValueError: A number is out of range, or `out` holds other files, such
            as VOC or the toy data set in the other layout.
    """
    for split, count in counts.items():
        check_number(f'num_{split}', count, low=1, integer=True)
    check_number('seed', seed, low=0, integer=True)
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise ValueError(f'{out} is a file; name a folder for the data set')
    names = out / 'classes.txt'
    ours = names.is_file() and names.read_text().split() == list(TOY_CLASSES)
    ours = ours and not (out / other).exists()
    if out.exists() and any(out.iterdir()) and not ours:
        raise ValueError(
            f'{out} is not empty and holds no toy data set in this layout, '
            'so nothing was written; name a new or empty folder'
        )
    _write_lines(names, TOY_CLASSES)
    return out


def _remove_others(out: Path, split: str, ids: Collection[str]) -> None:
    """Remove the files that an earlier, larger set left, and no others."""
    for folder, suffix in _FOLDERS.items():
        for path in (out / folder).glob(f'{split}_*{suffix}'):
            ours = re.fullmatch(rf'{split}_\d{{4,}}', path.stem)
            if ours and path.stem not in ids and path.is_file():
                path.unlink()


def _write_split(out: Path, split: str, count: int, seed: int) -> None:
    labels = {}
    for index in progress(range(count), f'Painting {split}'):
        sample = toy_sample(seed, split, index)
        image_id = f'{split}_{index:04d}'
        _write_sample(out, image_id, sample)
        labels[image_id] = sample.labels
    folder = out / 'ImageSets' / 'Segmentation'
    _write_lines(folder / _LISTS[split], labels)
    write_list(LabelTable(labels), folder / f'{split}_cls.txt')
    # Last, so that no list ever names a file that is gone.
    _remove_others(out, split, labels)


def make_toy_voc(
    out: str | os.PathLike,
    *,
    num_train: int = 300,
    num_val: int = 60,
    seed: int = 0,
) -> Path:
    """Write the toy data set in the layout of PASCAL VOC.

    Under `out` come ``JPEGImages/*.jpg``, ``SegmentationClassAug/*.png``
    (masks), ``Annotations/*.xml``, ``SaliencyMaps/*.png``,
    ``ImageSets/Segmentation/`` with ``train_aug.txt`` and ``val.txt`` (ids),
    ``train_cls.txt`` and ``val_cls.txt`` (``id c1 c2``, classes counted from
    0), and ``classes.txt``. The same arguments give the same pixels, and a
    larger set begins with the images of a smaller one.

    Args:
        out (str | os.PathLike): A new or empty folder, or an earlier toy data
            set, which is replaced: its other images are removed, files of
            other names stay.
        num_train (int): Number of training images. Defaults to 300.
        num_val (int): Number of validation images. Defaults to 60.
        seed (int): Seed of every image, not negative. Defaults to 0.

    Returns:
        Path: The folder `out`.

    Raises:
        ValueError: A number is out of range, or `out` holds other files.
    """
    counts = {'train': num_train, 'val': num_val}
    out = begin_folder(out, 'train2017', counts, seed)
    for split, count in counts.items():
        _write_split(out, split, count, seed)
    return out
