"""Manifests of runs: the record of what made a checkpoint or store."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from mmengine.dist import get_world_size, master_only
from mmengine.hooks import Hook
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
from oaa_mm.registry import HOOKS


@HOOKS.register_module()
class ManifestHook(Hook):
    """Record the provenance of each checkpoint and store beside it.

    After CheckpointHook has saved ``epoch_3.pth``, the config, fingerprints of
    the inputs, the seed and versions are written to
    ``epoch_3.pth.manifest.json``; the manifests of deleted checkpoints are
    deleted as well. After a test, the files that metrics have written (their
    attribute `written`, as that of
    :class:`~oaa_mm.evaluation.metrics.AttentionStoreWriter`) get one. OAAHook
    writes the manifests of its stores.
    """

    priority = 'LOWEST'  # after CheckpointHook

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def after_train_iter(
        self, runner: Runner, *args: Any, **kwargs: Any
    ) -> None:
        """Write the manifests of checkpoints of this iteration.

        Args:
            runner (Runner): The runner of the training.
            *args: Not used.
            **kwargs: Not used.
        """
        self._write_new(runner)

    def _after_epoch(self, runner: Runner, mode: str = 'train') -> None:
        if mode != 'test':
            self._write_new(runner)
            return
        for metric in runner.test_evaluator.metrics:
            written = getattr(metric, 'written', None)
            if written is not None:
                write_run_manifest(runner, written, split='test')

    @master_only
    def _write_new(self, runner: Runner) -> None:
        """Write the manifests of new checkpoints, the last and the best."""
        for kind, path in runner.message_hub.runtime_info.items():
            if not kind.startswith(('last_ckpt', 'best_ckpt')):
                continue
            if path is None or self._seen.get(kind) == path:
                continue
            self._seen[kind] = path
            if Path(path).is_file():  # not what a resumed run remembers
                write_run_manifest(runner, path)
                _remove_stale(Path(path).parent)


def _remove_stale(folder: Path) -> None:
    """Remove manifests of checkpoints that are gone."""
    suffix = manifest_path('').name
    for manifest in folder.glob(f'*.pth{suffix}'):
        if not (folder / manifest.name.removesuffix(suffix)).exists():
            manifest.unlink(missing_ok=True)


def record_results(runner: Runner, results: Mapping[str, Any]) -> None:
    """Put results of a run into the manifests that are written from now on.

    Args:
        runner (Runner): The run.
        results (Mapping[str, Any]): JSON types, in place of earlier ones.
    """
    runner.message_hub.update_info(_RESULTS, dict(results))


#: Where the message hub keeps them, for a resumed run as well.
_RESULTS = 'manifest_results'
#: Inputs do not change during a run, and hashing them takes a while.
_inputs: WeakKeyDictionary[Runner, dict[str, dict]] = WeakKeyDictionary()


@master_only
def write_run_manifest(
    runner: Runner, artefact: str | os.PathLike, *, split: str = 'train'
) -> None:
    """Write ``{artefact}.manifest.json``, only in the main process.

    Args:
        runner (Runner): The run that made the artefact.
        artefact (str | os.PathLike): Its file.
        split (str): Its data, ``'train'`` (the default) or ``'test'``.

    Raises:
        OSError: The manifest cannot be written.
    """
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
        results=runner.message_hub.runtime_info.get(_RESULTS, {}),
    )
    write_manifest(manifest_path(artefact), manifest)


def dataset_inputs(dataset: Dataset, *, masks: bool) -> dict[str, dict]:
    """Fingerprints of the files that a data set reads.

    Images are identified by their names and sizes, everything else by its
    content.

    Args:
        dataset (Dataset): A data set of mmseg, or one that wraps others.
        masks (bool): Whether segmentation masks count: they do where a model
            learns from them.

    Returns:
        dict[str, dict]: Role (``'images'``, ``'list'``, ``'labels'``,
        ``'masks'``, ``'attention'``; with a number where there are several
        data sets) -> fingerprint.
    """
    leaves = list(leaf_datasets(dataset))
    return {
        role if len(leaves) == 1 else f'{role} {number}': entry
        for number, leaf in enumerate(leaves, 1)
        for role, entry in _leaf_inputs(leaf, masks).items()
    }


def leaf_datasets(dataset: Any) -> Iterator[Any]:
    """The data sets within wrappers.

    Args:
        dataset (Any): A data set, or one that wraps others; or the config of
            one.

    Yields:
        Any: A data set that reads samples itself, or its config.
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
    keys = {'images': 'img_path'}
    if masks:
        keys['masks'] = 'seg_map_path'
    for role, key in keys.items():
        paths = [info[key] for info in infos if info.get(key)]
        if paths:
            folder, content = os.path.dirname(paths[0]), role != 'images'
            inputs[role] = _fingerprint(folder, paths, content=content)
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
    return {p: _fingerprint(path) for p, path in initial_weights(cfg).items()}


def initial_weights(cfg: Mapping[str, Any]) -> dict[str, str]:
    """The weights that a run starts from.

    Args:
        cfg (Mapping[str, Any]): The config of the run.

    Returns:
        dict[str, str]: Place in the config -> file, URL or name.
    """
    found = dict(_checkpoints(cfg.get('model') or {}, 'model'))
    if cfg.get('load_from'):
        found['load_from'] = cfg['load_from']
    return found


def _checkpoints(node: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, (list, tuple)):
        node = dict(enumerate(node))
    for key, value in node.items() if isinstance(node, Mapping) else ():
        if key in ('checkpoint', 'pretrained') and isinstance(value, str):
            yield f'{place}.{key}', value
        yield from _checkpoints(value, f'{place}.{key}')


def _fingerprint(
    path: str | os.PathLike, files: Sequence[str] = (), **options: Any
) -> dict[str, Any]:
    """A fingerprint; of the names alone if these are URLs and the like."""
    try:
        if not files:
            return fingerprint(path)
        return fingerprint_files(files, **options)
    except OSError:
        return fingerprint_names(path, files or [str(path)])
