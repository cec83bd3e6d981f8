"""The stores that lie beside the checkpoints of a training."""

import os
import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner, find_latest_checkpoint

from oaa_mm.attention import AttentionAccumulator, AttentionStore
from oaa_mm.runs.manifest import write_run_manifest

#: Entries that the metadata of a store has because of its training: the
#: iteration, images without any class, and the checksum of the store that it
#: has replaced.
_OWN_METADATA = ('iter', 'negatives', 'replaces')


class StoreFiles:
    """Write the memory of an accumulator beside checkpoints, and restore it.

    Args:
        accumulator (AttentionAccumulator): The accumulator.
        settings (dict[str, Any]): Settings that a resumed training has to
            share. They may get further entries.
    """

    def __init__(
        self, accumulator: AttentionAccumulator, settings: dict[str, Any]
    ) -> None:
        self.accumulator = accumulator
        self.settings = settings
        self._written: str | None = None  # the file that holds the memory
        self._checksum: str | None = None
        self._maps_written = 0

    def outdate(self) -> None:
        """Remember that the memory has changed since it was written."""
        self._written = None

    def write(
        self, runner: Runner, name: str, metadata: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write the memory, unless the file holds it already.

        Fallback maps may come after the last checkpoint. The file that then
        replaces its store notes the checksum of that store, so that the
        checkpoint still knows it.

        Args:
            runner (Runner): The runner of the training.
            name (str): Name of the file.
            metadata (Mapping[str, Any]): Further entries of the file.

        Returns:
            dict[str, Any]: `store`, `checksum` and `settings`, to be kept in
            the checkpoint.
        """
        store = self.accumulator.store
        if self._written == name and self._maps_written != len(store):
            metadata = {**metadata, 'replaces': self._checksum}
            self._written = None
        if self._written != name:
            for key in _OWN_METADATA:
                store.metadata.pop(key, None)
            store.metadata |= metadata
            path = osp.join(checkpoint_folder(runner), name)
            self._checksum = self.accumulator.save(path)
            self._written, self._maps_written = name, len(store)
            write_run_manifest(runner, path)
        return {
            'store': name,
            'checksum': self._checksum,
            'settings': dict(self.settings),
        }

    def restore(self, runner: Runner, checkpoint: Mapping[str, Any]) -> None:
        """Read the memory that belongs to a checkpoint.

        Args:
            runner (Runner): The runner of the training.
            checkpoint (Mapping[str, Any]): The checkpoint, whose entry `oaa`
                is the result of :meth:`write`.

        Raises:
            FileNotFoundError: The store is missing.
            ValueError: The store is damaged or does not belong to the
                checkpoint, or the settings differ.
        """
        state = checkpoint.get('oaa')
        if state is None:
            runner.logger.warning(
                'OAAHook: the checkpoint was saved without OAAHook, so '
                'the accumulation starts from nothing'
            )
            return
        self._check_settings(state['settings'])
        path = find_store(runner, state['store'])
        checksum = self.accumulator.load(path)
        self._check_origin(path, checksum, state, checkpoint['meta']['iter'])
        self._written = state['store']
        self._checksum = state.get('checksum')
        self._maps_written = len(AttentionStore.open(path))
        runner.logger.info(
            f'OAAHook: restored {len(self.accumulator.store)} maps of {path}'
        )

    def _check_settings(self, then: Mapping[str, Any]) -> None:
        changed = {
            key: (value, self.settings.get(key))
            for key, value in then.items()
            if self.settings.get(key) != value
        }
        if changed:
            raise ValueError(
                'OAAHook: the checkpoint was accumulated with other settings '
                f'(then, now): {changed}. Resume with the old ones, or start '
                'in another work_dir'
            )

    def _check_origin(
        self, path: str, checksum: str, state: Mapping[str, Any], iters: int
    ) -> None:
        """Refuse a store that was written at another time or by another run.

        The metadata of stores whose name tells the epoch has no `iter`, and
        the checkpoints of early versions note no checksum.
        """
        metadata = self.accumulator.store.metadata
        written_at = int(metadata.get('iter', iters))
        if written_at != iters:
            raise ValueError(
                f'OAAHook: {path} was written at iteration {written_at}, but '
                f'the checkpoint at iteration {iters}: a longer training has '
                'replaced the store. Resume from a checkpoint of that '
                'iteration, or start again without --resume'
            )
        noted = state.get('checksum')
        if noted not in (None, checksum, metadata.get('replaces')):
            raise ValueError(
                f'OAAHook: {path} is not the store that the checkpoint was '
                f'saved with (its checksum is {checksum}, the checkpoint '
                f'notes {noted}): it is from another run. Put the right one '
                'there, or start again without --resume'
            )


def checkpoint_folder(runner: Runner) -> str:
    """Find the folder of the checkpoints, so that stores lie beside them.

    Args:
        runner (Runner): The runner of the training.

    Returns:
        str: `out_dir` of the first CheckpointHook, if it is a local folder;
        else the work_dir.
    """
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.out_dir is not None:
            folder = os.fspath(hook.out_dir)
            if '://' not in folder:  # stores are local files
                return folder
    return runner.work_dir


def find_store(runner: Runner, name: str) -> str:
    """Find a store beside the checkpoint that is being resumed.

    Args:
        runner (Runner): The runner of the training.
        name (str): The store, as the checkpoint names it.

    Returns:
        str: Its path.

    Raises:
        FileNotFoundError: It lies neither beside the checkpoint nor in the
            work_dir.
    """
    folders = [runner.work_dir]
    resumed = runner._load_from or find_latest_checkpoint(runner.work_dir)
    if resumed and osp.dirname(resumed) != runner.work_dir:
        folders.insert(0, osp.dirname(resumed))
    for folder in folders:
        path = osp.join(folder, osp.basename(name))
        if osp.isfile(path):
            return path
    raise FileNotFoundError(
        f'OAAHook: the checkpoint belongs to {name}, which is not in '
        f'{" or ".join(folders)}. Put it there, or start again without '
        '--resume'
    )
