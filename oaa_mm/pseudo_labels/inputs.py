"""The images that get a label, and the files that each label needs."""

import logging
import os
from dataclasses import dataclass

from mmengine.logging import print_log

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.coverage import check_maps
from oaa_mm.attention.record import DataRecord
from oaa_mm.checks import list_names
from oaa_mm.datasets.files import faint_saliency, inspect_images, other_size
from oaa_mm.io import find_by_id, read_grey
from oaa_mm.io.progress import map_in_threads
from oaa_mm.tags import read_image_list

from .region_files import find_regions, read_regions


@dataclass(frozen=True)
class ImageToLabel:
    """An image and the files that its label needs.

    Args:
        image_id (str): Its id.
        path (str): Its file.
        size (tuple[int, int]): Height and width in pixels.
        saliency (str | None): The file of its saliency map.
        regions (str | None): The file of its regions. Defaults to None.
    """

    image_id: str
    path: str
    size: tuple[int, int]
    saliency: str | None
    regions: str | None = None


def images_to_label(
    store: str | os.PathLike,
    img_dir: str | os.PathLike | None = None,
    *,
    image_list: str | os.PathLike | None = None,
    saliency_dir: str | os.PathLike | None = None,
    regions_dir: str | os.PathLike | None = None,
    num_classes: int,
    allow_missing: bool = False,
) -> list[ImageToLabel]:
    """Find every file that the labels need.

    Args:
        store (str | os.PathLike): An attention store, or a folder in the
            authors' format.
        img_dir (str | os.PathLike | None): Folder of the images, see
            :func:`oaa_mm.io.find_images`. Defaults to None: those that
            the store has recorded.
        image_list (str | os.PathLike | None): One image id a line. Defaults
            to all images of the store, those without any class included.
        saliency_dir (str | os.PathLike | None): Folder of
            ``{image_id}.png``, 8-bit grey, at the size of the images. None
            where the background needs none.
        regions_dir (str | os.PathLike | None): Folder of the regions in which
            scores are averaged, see :mod:`.region_files`. Defaults to None.
        num_classes (int): The number of foreground classes.
        allow_missing (bool): Whether listed images may lack maps. Defaults
            to False.

    Returns:
        list[ImageToLabel]: One per image, in the order of the list.

    Raises:
        FileNotFoundError: Images, saliency maps or regions are absent;
            they are named.
        ValueError: Images have no map, or a file does not fit.
    """
    maps = AttentionStore.open(store)
    if not maps:
        raise ValueError(f'{store} holds no attention map')
    highest = max(class_index for _, class_index in maps)
    if highest >= num_classes:
        raise ValueError(
            f'{store} holds maps of class {highest}, but there are '
            f'{num_classes} classes; name them with --classes'
        )
    known = {*maps.image_ids, *maps.negatives}
    names = {image_id: image_id for image_id in sorted(known)}
    if image_list is not None:
        listed = read_image_list(image_list, known=known)
        names = {image.image_id: image.name for image in listed}
    check_maps(
        store,
        list(names),
        known,
        remedy='Leave them out of --list, or give --allow-missing: their '
        'labels are all 255.',
        allow_missing=allow_missing,
    )
    images = DataRecord.of_stores([maps], store).find_images(
        names, img_dir, names=names
    )
    sizes = inspect_images(images)
    saliency = {}
    if saliency_dir is not None:
        saliency = find_by_id(saliency_dir, images, kind='saliency maps')
    regions = find_regions(regions_dir, images)
    found = [
        ImageToLabel(i, path, sizes[i], saliency.get(i), regions.get(i))
        for i, path in images.items()
    ]
    what = 'Saliency maps and regions'
    checked = zip(
        found, map_in_threads(_check_files, found, what), strict=True
    )
    highest = {image.saliency: value for image, value in checked}
    highest.pop(None, None)  # of images without a saliency map
    severity, text, faint = faint_saliency(highest)
    if faint and severity == 'error':
        raise ValueError(list_names(text, faint))
    if faint:
        print_log(list_names(text, faint), 'current', logging.WARNING)
    return found


def _check_files(image: ImageToLabel) -> int:
    """Refuse files that do not fit; the greatest value of saliency."""
    highest = 0
    if image.saliency is not None:
        saliency = read_grey(image.saliency)
        if saliency.shape != image.size:
            file = image.saliency, saliency.shape
            both = file, (image.path, image.size)
            raise ValueError(other_size('saliency maps', *both))
        highest = int(saliency.max(initial=0))
    if image.regions is not None:
        read_regions(image.regions, image.size)
    return highest
