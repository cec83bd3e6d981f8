"""The entries of data sets, made and read, and their metainfo."""

import os.path as osp
from collections.abc import Iterable, Mapping
from typing import Any

from oaa_mm.io import IGNORE_INDEX, image_id_of, voc_colormap


def sample_id(info: Mapping[str, Any]) -> str:
    """The id of an image of a data set.

    Args:
        info (Mapping[str, Any]): Its entry in the data set.

    Returns:
        str: Its `image_id`, or else the stem of its file: data sets of mmseg
        have no ids.
    """
    return info.get('image_id') or image_id_of(osp.basename(info['img_path']))


def make_entries(
    images: Mapping[str, str],
    masks: Mapping[str, str | None],
    *,
    label_map: Mapping[int, int] | None,
    reduce_zero_label: bool = False,
) -> list[dict[str, Any]]:
    """The entries of a data set, as mmseg's loading transforms need them.

    Args:
        images (Mapping[str, str]): Image id -> file.
        masks (Mapping[str, str | None]): Image id -> mask, of images that may
            have one.
        label_map (Mapping[int, int] | None): The new values of masks; None
            where all stay.
        reduce_zero_label (bool): Whether 0 is ignored in masks. Defaults to
            False.

    Returns:
        list[dict[str, Any]]: One an image, in the order of `images`.
    """
    entries = []
    for image_id, path in images.items():
        entry: dict[str, Any] = {
            'img_path': path,
            'image_id': image_id,
            'label_map': label_map,
            'reduce_zero_label': reduce_zero_label,
            'seg_fields': [],
        }
        if image_id in masks:
            entry['seg_map_path'] = masks[image_id]
        entries.append(entry)
    return entries


def has_binary_mask(sample: Mapping[str, Any]) -> bool:
    """Whether 255 marks the class in the mask of a sample."""
    return IGNORE_INDEX in (sample.get('label_map') or {})


def files_of(infos: Iterable[Mapping[str, Any]], key: str) -> dict[str, str]:
    """The files of one kind.

    Args:
        infos (Iterable[Mapping[str, Any]]): Entries with `image_id`.
        key (str): ``'img_path'`` or ``'seg_map_path'``.

    Returns:
        dict[str, str]: Image id -> path, of entries that have one.
    """
    return {info['image_id']: info[key] for info in infos if info.get(key)}


def check_distinct(images: Iterable[tuple[str, str]]) -> None:
    """Refuse two images of one id, whose maps would become one.

    Args:
        images (Iterable[tuple[str, str]]): The id and the file of each image;
            an image may occur several times.

    Raises:
        ValueError: Two files have the same id; both are named.
    """
    files: dict[str, str] = {}
    for image_id, path in images:
        first = files.setdefault(image_id, path)
        if first != path:
            raise ValueError(
                f'{first} and {path} both have the image id {image_id!r}, so '
                'that their attention maps would be fused into one. Give the '
                "joined data sets prefixes, ImageLevelDataset(id_prefix='a/'),"
                ' or rename a file'
            )


def negatives_of(infos: Iterable[Mapping[str, Any]]) -> list[str]:
    """Images without any class, after a check that all ids are distinct.

    Args:
        infos (Iterable[Mapping[str, Any]]): The result of `get_data_info` of a
            data set for each image, with `image_id`. Where `gt_label` is
            absent, nothing is known of the classes.

    Returns:
        list[str]: Their ids, sorted.

    Raises:
        ValueError: See :func:`check_distinct`.
    """
    infos = list(infos)
    check_distinct((i['image_id'], i.get('img_path', '')) for i in infos)
    labelled = [i for i in infos if i.get('gt_label') is not None]
    return sorted({i['image_id'] for i in labelled if not i['gt_label'].any()})


def voc_palette(metainfo: Mapping[str, Any], first: int) -> list | None:
    """The colours of a data set's classes where it names none.

    Args:
        metainfo (Mapping[str, Any]): `classes` and `palette`, maybe absent.
        first (int): The mask value of the first class.

    Returns:
        list | None: VOC's colours, so that all pictures agree; None where
        mmseg has to choose, since there are colours or too many classes.
    """
    count = len(metainfo.get('classes') or ())
    palette = metainfo.get('palette') or []
    if not count:  # the labels will name the classes
        return palette
    if palette or first + count > 256:
        return None
    return voc_colormap()[first : first + count].tolist()
