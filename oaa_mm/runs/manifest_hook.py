"""A manifest beside every checkpoint and store of a run."""

from __future__ import annotations

from collections.abc import Mapping
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
    """Write what made a checkpoint or store as JSON beside it.

    After CheckpointHook has saved ``epoch_3.pth``, the config, fingerprints
    of the inputs, the seed and versions are written to
    ``epoch_3.pth.manifest.json``; the manifests of checkpoints that
    CheckpointHook has deleted go as well. After a test, the files that
    metrics have written (their attribute `written`, as that of
    :class:`~oaa_mm.evaluation.metrics.AttentionStoreWriter`) get one.
    `tools/train.py` and `tools/test.py` add this hook to every run. The
    stores of OAAHook have their manifests from OAAHook.
    """

    priority = 'LOWEST'  # after CheckpointHook

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Look for a new checkpoint, a look-up of two names.

        Args:
            runner (Runner): The runner of the training.
            batch_idx (int): Not used.
            data_batch (Any): Not used.
            outputs (dict | None): Not used.
        """
        self._write_new(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look for a new checkpoint.

        Args:
            runner (Runner): The runner of the training.
        """
        self._write_new(runner)

    def after_val_epoch(
        self, runner: Runner, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Look for a new best checkpoint.

        Args:
            runner (Runner): The runner of the training.
            metrics (Mapping[str, float] | None): Not used.
        """
        self._write_new(runner)

    def after_train(self, runner: Runner) -> None:
        """Look for the last checkpoint.

        Args:
            runner (Runner): The runner of the training.
        """
        self._write_new(runner)

    def after_test_epoch(
        self, runner: Runner, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Write the manifests of what metrics have written.

        Args:
            runner (Runner): The runner of the test.
            metrics (Mapping[str, float] | None): Not used.
        """
        for metric in runner.test_evaluator.metrics:
            written = getattr(metric, 'written', None)
            if written is not None:
                write_run_manifest(runner, written, split='test')

    @master_only
    def _write_new(self, runner: Runner) -> None:
        for kind in ('last_ckpt', 'best_ckpt'):
            path = runner.message_hub.runtime_info.get(kind)
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
