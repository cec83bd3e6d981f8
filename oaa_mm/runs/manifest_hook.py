"""A manifest beside every checkpoint and store of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from oaa_mm.io.manifest import manifest_path
from oaa_mm.registry import HOOKS

from .run_manifest import write_run_manifest


@HOOKS.register_module()
class ManifestHook(Hook):
    """Record the provenance of each checkpoint and store beside it.

    After CheckpointHook has saved ``epoch_3.pth``, the config, fingerprints
    of the inputs, the seed and versions are written to
    ``epoch_3.pth.manifest.json``; the manifests of checkpoints that
    CheckpointHook has deleted go as well. After a test, the files that
    metrics have written (their attribute `written`, as that of
    :class:`~oaa_mm.evaluation.metrics.AttentionStoreWriter`) get one.
    The stores of OAAHook have their manifests from OAAHook.
    """

    priority = 'LOWEST'  # after CheckpointHook

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = 'train',
    ) -> None:
        if mode == 'train':
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
