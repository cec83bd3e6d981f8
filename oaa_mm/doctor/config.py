"""A data set described by an mmengine config."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmseg.registry import DATASETS

from oaa_mm.datasets import ImageLevelDataset
from oaa_mm.runs.config import override_config, read_config

from .layout import NEEDS, find_saliency
from .split import Split


def _unwrap(dataset: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The data set inside RepeatDataset and the like."""
    while 'dataset' in dataset:
        key += '.dataset'
        dataset = dataset['dataset']
    if 'datasets' in dataset:
        raise ValueError(
            f'{key} joins several data sets (type {dataset.get("type")!r}), '
            'which cannot be checked at once; check each with --data-root'
        )
    return dataset


def _dataset_class(dataset: Mapping[str, Any], key: str) -> type:
    kind = dataset.get('type')
    found = DATASETS.get(kind) if isinstance(kind, str) else kind
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
    chosen = dataset.get('metainfo') or {}
    names = getattr(kind, 'METAINFO', {}).get('classes') or chosen.get(
        'classes'
    )
    if isinstance(names, str):  # mmengine reads a file of names
        names = Path(names).read_text(encoding='utf-8').split('\n')
        names = [name for name in names if name.strip()]
    return tuple(n for n in names or () if n != 'background') or None


def _join(dataset: Mapping[str, Any], path: str | None) -> Path | None:
    """A path as mmengine reads it: under `data_root` unless absolute."""
    return Path(dataset.get('data_root') or '', path) if path else None


def _split(name: str, dataset: Mapping[str, Any], kind: type) -> Split:
    prefix = dataset.get('data_prefix') or {}
    masks = _join(dataset, prefix.get('seg_map_path'))
    # Data sets of mmseg itself learn from masks, also in training.
    weak = issubclass(kind, ImageLevelDataset)
    split = Split(
        name,
        _join(dataset, dataset.get('ann_file')),
        Path(dataset.get('data_root') or '', prefix.get('img_path') or ''),
        needs=NEEDS[name] if weak else frozenset({'masks'}),
        mask_dir=masks,
        labels=_join(dataset, dataset.get('labels')),
        labels_format=dataset.get('labels_format'),
        img_suffix=dataset.get('img_suffix', '.jpg'),
        mask_suffix=dataset.get('seg_map_suffix', '.png'),
    )
    if 'saliency' not in split.needs:
        return split
    root = Path(dataset.get('data_root') or '')
    saliency = _join(dataset, prefix.get('saliency_path'))
    return replace(split, saliency_dir=saliency or find_saliency(root))


def splits_from_config(
    path: str | os.PathLike,
    cfg_options: Mapping[str, Any] | None = None,
) -> tuple[list[Split], tuple[str, ...] | None]:
    """Describe the data sets of a config's train and val dataloaders.

    Args:
        path (str | os.PathLike): A config of MMEngine. Wrappers such as
            RepeatDataset are looked through.
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
        ValueError: It cannot be read, has no dataloader, one joins several
            data sets, or a data set is of an unknown type.
    """
    config = read_config(path)
    override_config(config, cfg_options)
    splits, classes = [], None
    for name in NEEDS:
        key = f'{name}_dataloader'
        loader = config.get(key)
        if not loader:
            continue
        dataset = _unwrap(loader['dataset'], f'{key}.dataset')
        kind = _dataset_class(dataset, f'{key}.dataset')
        splits.append(_split(name, dataset, kind))
        classes = classes or _class_names(dataset, kind)
    if not splits:
        raise ValueError(
            f'{path} has neither train_dataloader nor val_dataloader, so '
            'there is no data set to check'
        )
    return splits, classes
