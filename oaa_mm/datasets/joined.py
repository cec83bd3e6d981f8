"""The images of a training set, whatever data sets are joined in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


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
                "joined data sets prefixes, ImageLevelDataset(id_prefix='a/')"
            )


def negatives_of(infos: Iterable[Mapping[str, Any]]) -> list[str]:
    """Images without any class, after a check that all ids are distinct.

    Args:
        infos (Iterable[Mapping[str, Any]]): What `get_data_info` of a data
            set returns for each image. Of entries without `image_id` or
            `gt_label`, as in data sets of others, nothing is known.

    Returns:
        list[str]: Their ids, sorted.

    Raises:
        ValueError: See :func:`check_distinct`.
    """
    labelled = [
        info
        for info in infos
        if info.get('gt_label') is not None and 'image_id' in info
    ]
    check_distinct((i['image_id'], i.get('img_path', '')) for i in labelled)
    return sorted({i['image_id'] for i in labelled if not i['gt_label'].any()})
