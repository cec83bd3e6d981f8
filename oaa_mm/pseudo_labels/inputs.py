"""The images that get a label, and the files that each label needs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.coverage import check_maps
from oaa_mm.checks import name_some
from oaa_mm.datasets.files import inspect_image
from oaa_mm.evaluation.stores import read_image_ids
from oaa_mm.io.images import SALIENCY_FORMATS, open_image
from oaa_mm.io.progress import progress
from oaa_mm.visualization.draw import find_image


@dataclass(frozen=True)
class ImageToLabel:
    """An image and the files that its label needs.

    Args:
        image_id (str): Its id.
        classes (tuple[int, ...]): Classes with a map; without any the
            label is all 255.
        path (str): Its file.
        size (tuple[int, int]): Height and width in pixels.
        saliency (str | None): The file of its saliency map.
    """

    image_id: str
    classes: tuple[int, ...]
    path: str
    size: tuple[int, int]
    saliency: str | None


def images_to_label(
    store: str | os.PathLike,
    img_dir: str | os.PathLike,
    *,
    image_list: str | os.PathLike | None = None,
    saliency_dir: str | os.PathLike | None = None,
    num_classes: int,
    allow_missing: bool = False,
) -> list[ImageToLabel]:
    """Find every file that labels need, and say what is missing.

    Args:
        store (str | os.PathLike): An attention store, or a folder in the
            authors' format.
        img_dir (str | os.PathLike): Folder of ``{image_id}.jpg`` or ``.png``.
        image_list (str | os.PathLike | None): One image id a line. Defaults
            to all images of the store.
        saliency_dir (str | os.PathLike | None): Folder of
            ``{image_id}.png``, 8-bit grey, at the size of the images. None
            where the background needs none.
        num_classes (int): The number of foreground classes.
        allow_missing (bool): Whether listed images may lack maps. Defaults
            to False.

    Returns:
        list[ImageToLabel]: One per image, in the order of the list.

    Raises:
        FileNotFoundError: Images or saliency maps are absent; they are named.
        ValueError: Images have no map, or a file does not fit.
    """
    classes: dict[str, tuple[int, ...]] = {}
    for image_id, class_index in AttentionStore.open(store):
        if class_index >= num_classes:
            raise ValueError(
                f'{store} holds maps of class {class_index}, but there are '
                f'{num_classes} classes; name them with --classes'
            )
        classes[image_id] = (*classes.get(image_id, ()), class_index)
    if not classes:
        raise ValueError(f'{store} holds no attention map')
    image_ids = sorted(classes)
    if image_list is not None:
        image_ids = read_image_ids(image_list)
    check_maps(
        store,
        image_ids,
        classes,
        remedy='Leave them out of --list, or give --allow-missing: their '
        'labels are all 255.',
        allow_missing=allow_missing,
    )
    images = _find_images(img_dir, image_ids)
    saliency = _find_saliency(saliency_dir, image_ids)
    files = zip(image_ids, images, saliency, strict=True)
    return [
        ImageToLabel(
            image_id,
            classes.get(image_id, ()),
            str(image),
            _checked_size(image, saliency_map),
            saliency_map and str(saliency_map),
        )
        for image_id, image, saliency_map in progress(
            files, 'Checking images', len(image_ids)
        )
    ]


def _find_images(
    img_dir: str | os.PathLike, image_ids: Sequence[str]
) -> list[Path]:
    if not Path(img_dir).is_dir():
        raise FileNotFoundError(f'no such folder of images: {img_dir}')
    found, absent = [], []
    for image_id in image_ids:
        try:
            found.append(find_image(img_dir, image_id))
        except FileNotFoundError:
            absent.append(image_id)
    if absent:
        raise FileNotFoundError(
            f'{len(absent)} of {len(image_ids)} images are not in {img_dir} '
            f'(.jpg or .png): {name_some(absent)}'
        )
    return found


def _find_saliency(
    saliency_dir: str | os.PathLike | None, image_ids: Sequence[str]
) -> list[Path | None]:
    if saliency_dir is None:
        return [None] * len(image_ids)
    folder = Path(saliency_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f'no such folder of saliency maps: {folder}')
    paths = [folder / f'{image_id}.png' for image_id in image_ids]
    absent = [str(path) for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f'{len(absent)} of {len(paths)} saliency maps are absent: '
            f'{name_some(absent, 30)}. Make them, leave the images out of '
            '--list, or choose --background power or constant, which need '
            'none.'
        )
    return paths


def _checked_size(image: Path, saliency: Path | None) -> tuple[int, int]:
    size = inspect_image(image)
    if saliency is None:
        return size
    with open_image(saliency, SALIENCY_FORMATS) as opened:
        mode, found = opened.mode, opened.size[::-1]
    if mode not in ('L', '1', 'RGB'):
        raise ValueError(
            f'{saliency}: a saliency map is an 8-bit grey PNG, but this one '
            f'has mode {mode!r}'
        )
    if found != size:
        raise ValueError(
            f'{saliency} is {found[1]}x{found[0]} pixels, but its image '
            f'{image} is {size[1]}x{size[0]}; resize the saliency maps to '
            'the images'
        )
    return size
