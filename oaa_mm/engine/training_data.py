"""The data set of a training, as its stores record it."""

import os.path as osp
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.runner import Runner

from oaa_mm.attention.record import DATA_SET, record_data
from oaa_mm.datasets.entries import (
    files_of,
    has_binary_mask,
    negatives_of,
    sample_id,
)
from oaa_mm.io import find_by_id
from oaa_mm.io.label_folder import LABELS, is_label_folder
from oaa_mm.models.tagged_head import TaggedHead
from oaa_mm.tags.voc12 import voc12_masks

from .store_files import checkpoint_folder


def training_metadata(runner: Runner, head: TaggedHead) -> dict[str, Any]:
    """Describe the files and classes that a training has, for its stores.

    Args:
        runner (Runner): The runner of the training.
        head (TaggedHead): The head whose maps are accumulated.

    Returns:
        dict[str, Any]: Entries for the metadata of stores: the record of
        :mod:`oaa_mm.attention.record`, and as `negatives` the ids of images
        without any class, if there are any. Empty for data sets that do not
        list their images.

    Raises:
        ValueError: Two images have the same id, or the head has another number
            of classes than the data set.
    """
    dataset = runner.train_dataloader.dataset
    if not hasattr(dataset, 'get_data_info'):
        return {}
    infos = list(map(dataset.get_data_info, range(len(dataset))))
    infos = [{**i, 'image_id': sample_id(i)} for i in infos if 'img_path' in i]
    negatives = negatives_of(infos)
    metadata = {'negatives': negatives} if negatives else {}
    images, masks = (files_of(infos, k) for k in ('img_path', 'seg_map_path'))
    first = Path(next(iter(masks.values()), ''))
    if any(
        p.name == LABELS and is_label_folder(p.parent) for p in first.parents
    ):
        masks = {}  # pseudo-labels are not what maps are measured against
    if images:
        test = (runner.cfg.get('test_dataloader') or {}).get('dataset') or {}
        binary = any(map(has_binary_mask, infos)) or test.get('binary_masks')
        metadata[DATA_SET] = record_data(
            images,
            checkpoint_folder(runner),
            masks=masks or _masks_of_test(test, images),
            binary_masks=bool(binary),
            **_foreground(dataset.metainfo, head, infos[0]),
        )
    return metadata


def _foreground(
    metainfo: Mapping[str, Any], head: TaggedHead, info: Mapping[str, Any]
) -> dict[str, Any]:
    """Classes and palette without the background that masks may have."""
    classes, palette = (metainfo.get(k) or () for k in ('classes', 'palette'))
    extra = int(head.background and 'gt_label' not in info)
    if classes and len(classes) != head.num_classes + extra:
        raise ValueError(
            f'the training data have {len(classes)} classes, but CAMHead has '
            f'num_classes={head.num_classes}, background={head.background}'
        )
    return {'classes': classes[extra:], 'palette': palette[extra:]}


def _masks_of_test(
    dataset: Mapping[str, Any], images: Mapping[str, str]
) -> dict[str, str]:
    """Masks that the config's test has for images of the training."""
    prefix = dataset.get('data_prefix') or {}
    if not prefix.get('seg_map_path'):
        return {}
    root = osp.abspath(dataset.get('data_root') or '')
    masks = voc12_masks(osp.join(root, prefix['seg_map_path']))
    if not osp.isdir(masks):
        return {}
    folder = osp.abspath(osp.join(root, prefix.get('img_path') or ''))
    folder = osp.join(folder, '')
    same = [i for i in images if osp.abspath(images[i]).startswith(folder)]
    suffix = dataset.get('seg_map_suffix', '.png')
    return find_by_id(masks, same, suffix, allow_missing=True)
