"""The toy data set on disk, in the layout of PASCAL VOC."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from oaa_mm.checks import check_number
from oaa_mm.io import write_mask
from oaa_mm.io.files import atomic_write
from oaa_mm.io.progress import progress

from .catalogue import TOY_CLASSES
from .scene import ToySample, toy_sample

_JPEG_QUALITY = 92

#: The list of a split's ids, and the same with the classes of each image.
_LISTS = {
    'train': ('train_aug.txt', 'train_cls.txt'),
    'val': ('val.txt', 'val_cls.txt'),
}

#: The folders of the images' files, and the suffix in each.
_FOLDERS = {
    'JPEGImages': '.jpg',
    'SegmentationClassAug': '.png',
    'SaliencyMaps': '.png',
    'Annotations': '.xml',
}


def _write_image(path: Path, array: np.ndarray, **options: int) -> None:
    with atomic_write(path) as file:
        kind = 'JPEG' if path.suffix == '.jpg' else 'PNG'
        Image.fromarray(array).save(file, format=kind, **options)


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    with atomic_write(path, 'w') as file:
        file.writelines(f'{line}\n' for line in lines)


def _element(parent: ElementTree.Element, **texts: object) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = str(text)


def _annotation(image_id: str, sample: ToySample) -> ElementTree.Element:
    """The image's VOC annotation; VOC counts pixels from 1, ends included."""
    root = ElementTree.Element('annotation')
    _element(root, filename=f'{image_id}.jpg')
    size = ElementTree.SubElement(root, 'size')
    height, width = sample.mask.shape
    _element(size, width=width, height=height, depth=3)
    _element(root, segmented=1)
    for label, (x0, y0, x1, y1) in sample.objects:
        node = ElementTree.SubElement(root, 'object')
        _element(node, name=TOY_CLASSES[label], difficult=0)
        box = ElementTree.SubElement(node, 'bndbox')
        _element(box, xmin=x0 + 1, ymin=y0 + 1, xmax=x1, ymax=y1)
    return root


def _write_sample(out: Path, image_id: str, sample: ToySample) -> None:
    image = out / 'JPEGImages' / f'{image_id}.jpg'
    _write_image(image, sample.image, quality=_JPEG_QUALITY)
    write_mask(out / 'SegmentationClassAug' / f'{image_id}.png', sample.mask)
    saliency = out / 'SaliencyMaps' / f'{image_id}.png'
    _write_image(saliency, sample.saliency)
    root = _annotation(image_id, sample)
    ElementTree.indent(root)
    with atomic_write(out / 'Annotations' / f'{image_id}.xml') as file:
        file.write(ElementTree.tostring(root) + b'\n')


def _check_folder(out: Path) -> None:
    """Refuse to mix the toy data set into something else, such as VOC."""
    if out.exists() and not out.is_dir():
        raise ValueError(f'{out} is a file; name a folder for the data set')
    if not out.exists() or not any(out.iterdir()):
        return
    names = out / 'classes.txt'
    if not names.is_file() or names.read_text().split() != list(TOY_CLASSES):
        raise ValueError(
            f'{out} is not empty and holds no toy data set, so nothing was '
            'written; name a new or empty folder'
        )


def _remove_others(out: Path, split: str, ids: Collection[str]) -> None:
    """Remove what an earlier, larger set left, and nothing of others."""
    for folder, suffix in _FOLDERS.items():
        for path in (out / folder).glob(f'{split}_*{suffix}'):
            ours = re.fullmatch(rf'{split}_\d{{4,}}', path.stem)
            if ours and path.stem not in ids and path.is_file():
                path.unlink()


def _write_split(
    out: Path, split: str, count: int, seed: int, show: bool
) -> None:
    ids, lines = [], []
    numbers: Iterable[int] = range(count)
    if show:
        numbers = progress(numbers, f'Painting {split}')
    for index in numbers:
        sample = toy_sample(seed, split, index)
        image_id = f'{split}_{index:04d}'
        _write_sample(out, image_id, sample)
        ids.append(image_id)
        lines.append(' '.join([image_id, *map(str, sample.labels)]))
    folder = out / 'ImageSets' / 'Segmentation'
    id_list, label_list = _LISTS[split]
    _write_lines(folder / id_list, ids)
    _write_lines(folder / label_list, lines)
    # Last, so that no list ever names a file that is gone.
    _remove_others(out, split, set(ids))


def make_toy_voc(
    out: str | os.PathLike,
    *,
    num_train: int = 300,
    num_val: int = 60,
    seed: int = 0,
    progress: bool = False,
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
        progress (bool): Show a progress bar on the standard error. Defaults
            to False.

    Returns:
        Path: The folder `out`.

    Raises:
        ValueError: A number is out of range, or `out` holds other files.
    """
    check_number('num_train', num_train, low=1, integer=True)
    check_number('num_val', num_val, low=1, integer=True)
    check_number('seed', seed, low=0, integer=True)
    out = Path(out)
    _check_folder(out)
    # First, so that an interrupted run is known as ours by the next one.
    _write_lines(out / 'classes.txt', TOY_CLASSES)
    for split, count in (('train', num_train), ('val', num_val)):
        _write_split(out, split, count, seed, progress)
    return out
