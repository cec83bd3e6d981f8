"""A data set described by an mmengine config."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from oaa_mm.attention.record import DataRecord
from oaa_mm.datasets import ImageLevelDataset, PseudoLabelDataset
from oaa_mm.datasets.pseudo_label import check_folder
from oaa_mm.datasets.voc_coco import VOCImageLevelDataset
from oaa_mm.io.label_folder import LABELS, LIST
from oaa_mm.registry import class_of
from oaa_mm.runs.config import override_config, read_config
from oaa_mm.runs.manifest import leaf_datasets
from oaa_mm.tags.classes import normalize_classes
from oaa_mm.tags.voc12 import (
    OWN_MASKS,
    SBD_MASKS,
    find_voc12,
    voc12_masks,
)

from .layout import NEEDS, SALIENCY_DIR, find_folder
from .split import Split

#: Masks that the evaluation of maps and DeepLab's validation read.
_VOC_MASKS = {'train': SBD_MASKS, 'val': OWN_MASKS}


def _class_of(dataset: Mapping[str, Any], key: str) -> type:
    kind = dataset.get('type')
    found = class_of(DATASETS, kind)
    if found is None:
        raise ValueError(
            f'{key}.type is {kind!r}, which is not a registered data set; '
            'does the config need custom_imports?'
        )
    return found


def _class_names(
    dataset: Mapping[str, Any], kind: type
) -> tuple[str, ...] | None:
    """Foreground classes; mmseg counts the background as class 0.

    Where the data set has classes of its own, files are about these, and
    `metainfo` only chooses some of them for the training.
    """
    own = getattr(kind, 'METAINFO', {}).get('classes')
    given = BaseSegDataset._load_metainfo(dataset.get('metainfo'))
    names = own or given.get('classes') or ()
    if names and issubclass(kind, ImageLevelDataset):
        return normalize_classes(names)
    return tuple(name for name in names if name != 'background') or None


def _label_folder(dataset: Mapping[str, Any], kind: type) -> str | None:
    """The folder of labels that a data set learns from."""
    given = (dataset.get('data_prefix') or {}).get('seg_map_path')
    other = given or not issubclass(kind, PseudoLabelDataset)
    return None if other else dataset.get('pseudo_labels')


def _split(
    name: str, dataset: Mapping[str, Any], kind: type, number: int
) -> Split:
    root = Path(dataset.get('data_root') or '')
    folders = dataset.get('data_prefix') or {}
    filters = dataset.get('filter_cfg') or {}
    listed, record = dataset.get('ann_file'), None
    if folder := _label_folder(dataset, kind):
        folder = check_folder(folder)  # not below data_root
        folders = {'seg_map_path': os.path.join(folder, LABELS)}
        folders['img_path'] = dataset.get('img_dir')
        listed = listed or os.path.join(folder, LIST)
        record = DataRecord.of_labels(folder)

    masks, notes = folders.get('seg_map_path'), ()
    is_voc = issubclass(kind, VOCImageLevelDataset)
    if is_voc and os.path.isdir(voc12_masks(str(root / _VOC_MASKS[name]))):
        masks = masks or _VOC_MASKS[name]
    files = listed, dataset.get('labels'), masks
    files = [str(root / f) if f else None for f in files]
    if is_voc:
        *files, notes = find_voc12(str(root), *files)
    listed, labels, masks = (file and Path(file) for file in files)
    # Data sets of mmseg itself learn from masks, also in training.
    weak = issubclass(kind, ImageLevelDataset)
    needs = NEEDS[name] | {'classes'} if weak else frozenset({'masks'})
    saliency = None
    if 'saliency' in needs:
        named = folders.get('saliency_path')
        usual = find_folder(root, None, SALIENCY_DIR)
        saliency = root / named if named else usual
    return Split(
        f'{name} {number}' if number else name,
        listed,
        root / (folders.get('img_path') or ''),
        needs=needs,
        mask_dir=masks,
        saliency_dir=saliency,
        labels=labels,
        labels_format=dataset.get('labels_format'),
        record=None if folders.get('img_path') else record,
        img_suffix=dataset.get('img_suffix', '.jpg'),
        mask_suffix=dataset.get('seg_map_suffix', '.png'),
        binary_masks=dataset.get('binary_masks', False),
        drops_empty=filters.get('filter_empty_gt', False),
        id_prefix=dataset.get('id_prefix', ''),
        notes=notes,
    )


def splits_from_config(
    path: str | os.PathLike,
    cfg_options: Mapping[str, Any] | None = None,
) -> tuple[list[Split], tuple[str, ...] | None]:
    """Describe the data sets of a config's train and val dataloaders.

    Args:
        path (str | os.PathLike): A config of MMEngine. Wrappers such as
            RepeatDataset are looked through; joined data sets become the
            splits ``train 1``, ``train 2``, ...
        cfg_options (Mapping[str, Any], optional): Entries that override those
            of the config, as ``--cfg-options`` of a training does; the keys
            are joined by dots. Defaults to none.

    Returns:
        tuple: The splits (list[Split]), and the names of the foreground
        classes (tuple[str, ...], or None where nothing says them) that labels
        and masks are about: all of a data set's own, also where its
        `metainfo` chooses some.

    Raises:
        FileNotFoundError: The config does not exist.
        ValueError: It cannot be read, has no dataloader, or a data set is of
            an unknown type.
    """
    config = read_config(path)
    override_config(config, cfg_options)
    splits, classes = [], None
    for name in NEEDS:
        key = f'{name}_dataloader'
        if loader := config.get(key):
            parts = list(leaf_datasets(loader['dataset']))
            for number, dataset in enumerate(parts, len(parts) > 1):
                kind = _class_of(dataset, f'{key}.dataset')
                splits.append(_split(name, dataset, kind, number))
                classes = classes or _class_names(dataset, kind)
    if not splits:
        raise ValueError(
            f'{path} has neither train_dataloader nor val_dataloader, so '
            'there is no data set to check'
        )
    return splits, classes
