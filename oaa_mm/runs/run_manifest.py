"""What made a checkpoint or store: the manifest of a run beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from mmengine.dist import get_world_size, is_main_process
from mmengine.runner import Runner
from torch.utils.data import Dataset

from oaa_mm.datasets.transforms import LoadAttentionMaps
from oaa_mm.datasets.transforms.frame_size import iterate_transforms
from oaa_mm.io.fingerprint import (
    fingerprint,
    fingerprint_files,
    fingerprint_names,
)
from oaa_mm.io.manifest import Manifest, manifest_path, write_manifest

#: Inputs do not change during a run, and hashing them takes a while.
_inputs: WeakKeyDictionary[Runner, dict[str, dict]] = WeakKeyDictionary()


def write_run_manifest(
    runner: Runner, artefact: str | os.PathLike, *, split: str = 'train'
) -> None:
    """Write ``{artefact}.manifest.json``; in the main process alone.

    Args:
        runner (Runner): The run that made the artefact.
        artefact (str | os.PathLike): Its file.
        split (str): Whose data it was made of: ``'train'`` or ``'test'``.
            Defaults to ``'train'``.

    Raises:
        OSError: The manifest cannot be written.
    """
    if not is_main_process():
        return
    if runner not in _inputs:
        loader = getattr(runner, f'{split}_dataloader')
        _inputs[runner] = {
            **dataset_inputs(loader.dataset, masks=split == 'train'),
            **weight_inputs(runner.cfg),
        }
    # What a config holds beyond JSON, such as types and NaN, becomes text.
    config = json.dumps(runner.cfg.to_dict(), default=str)
    manifest = Manifest(
        tool=split,
        parameters={
            'config_file': runner.cfg.filename or '',
            'processes': get_world_size(),
            'config': json.loads(config, parse_constant=str),
        },
        inputs=_inputs[runner],
        seed=runner.seed,
    )
    write_manifest(manifest_path(artefact), manifest)


def dataset_inputs(dataset: Dataset, *, masks: bool) -> dict[str, dict]:
    """Fingerprints of what a data set reads.

    Images are identified by their names and sizes, everything else by its
    content.

    Args:
        dataset (Dataset): Of mmseg, or several of them concatenated.
        masks (bool): Whether segmentation masks count: they do where a model
            learns from them.

    Returns:
        dict[str, dict]: Role (``'images'``, ``'list'``, ``'labels'``,
        ``'masks'``, ``'attention'``; with a number where there are several
        data sets) -> fingerprint.
    """
    leaves = list(leaf_datasets(dataset))
    inputs = {}
    for number, leaf in enumerate(leaves, 1):
        for role, entry in _leaf_inputs(leaf, masks).items():
            inputs[role if len(leaves) == 1 else f'{role} {number}'] = entry
    return inputs


def leaf_datasets(dataset: Any) -> Iterator[Any]:
    """The data sets within wrappers.

    Args:
        dataset (Any): A data set, or one that wraps others.

    Yields:
        Any: A data set that reads samples itself.
    """
    for inner in getattr(dataset, 'datasets', ()):
        yield from leaf_datasets(inner)
    if hasattr(dataset, 'dataset'):
        yield from leaf_datasets(dataset.dataset)
    elif not hasattr(dataset, 'datasets'):
        yield dataset


def _leaf_inputs(dataset: Any, masks: bool) -> dict[str, dict]:
    inputs = {}
    for role, name in (('list', 'ann_file'), ('labels', 'labels')):
        path = getattr(dataset, name, None)
        if path and isinstance(path, (str, os.PathLike)):
            inputs[role] = _fingerprint(path)
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    images = [info['img_path'] for info in infos if 'img_path' in info]
    if images:
        inputs['images'] = _fingerprint_files(images, content=False)
    labels = [i['seg_map_path'] for i in infos if i.get('seg_map_path')]
    if labels and masks:
        inputs['masks'] = _fingerprint_files(labels, content=True)
    for transform in iterate_transforms(dataset.pipeline):
        if isinstance(transform, LoadAttentionMaps):
            inputs['attention'] = _fingerprint(transform.store)
    return inputs


def weight_inputs(cfg: Mapping[str, Any]) -> dict[str, dict]:
    """Fingerprints of the weights that a run starts from.

    Args:
        cfg (Mapping[str, Any]): The config of the run.

    Returns:
        dict[str, dict]: ``'load_from'``, and the place in the config of each
        ``init_cfg.checkpoint`` or ``pretrained`` -> fingerprint.
    """
    found = dict(_checkpoints(cfg.get('model') or {}, 'model'))
    if cfg.get('load_from'):
        found['load_from'] = cfg['load_from']
    return {place: _fingerprint(path) for place, path in found.items()}


def _checkpoints(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ('checkpoint', 'pretrained') and isinstance(value, str):
                yield f'{place}.{key}', value
            yield from _checkpoints(value, f'{place}.{key}')
    elif isinstance(node, (list, tuple)):
        for number, value in enumerate(node):
            yield from _checkpoints(value, f'{place}.{number}')


def _fingerprint(path: str | os.PathLike) -> dict[str, Any]:
    """A fingerprint; of the name alone where it is no local file, as a URL."""
    try:
        return fingerprint(path)
    except OSError:
        return fingerprint_names(path, [str(path)])


def _fingerprint_files(paths: list[str], *, content: bool) -> dict[str, Any]:
    try:
        return fingerprint_files(paths, content=content)
    except OSError:
        return fingerprint_names(os.path.dirname(paths[0]), paths)
