"""Conditions that the files have to fulfil after a kill."""

from __future__ import annotations

from pathlib import Path

import torch

from oaa_mm.attention import AttentionStore
from oaa_mm.io.manifest import read_manifest
from oaa_mm.runs.checkpoints import checkpoint_damage


def training_problems(folder: Path, reference: Path) -> list[str]:
    """The faults in the work_dir of a training that was killed.

    Args:
        folder (Path): The work_dir.
        reference (Path): That of the same training, never interrupted, with
            all its checkpoints.

    Returns:
        list[str]: A store or checkpoint that does not load, that lacks its
        store, or that is not the reference's, bit for bit.
    """
    problems = []
    for store in sorted(folder.glob('attention_*.safetensors')):
        try:
            AttentionStore.load(store)
        except ValueError as error:
            problems.append(f'{store.name} does not load: {error}')
        if store.read_bytes() != (reference / store.name).read_bytes():
            problems.append(f'{store.name} is not that of the reference')
    for path in sorted(folder.glob('epoch_*.pth')):
        problems += _checkpoint_problems(path, reference)
    for manifest in sorted(folder.glob('*.manifest.json')):
        try:
            read_manifest(manifest)
        except ValueError as error:
            problems.append(f'{manifest.name}: {error}')
    return problems


def _checkpoint_problems(path: Path, reference: Path) -> list[str]:
    damage = checkpoint_damage(path)
    if damage:
        return [f'{path.name}: {damage}']
    problems = []
    checkpoint, expected = (
        torch.load(p, map_location='cpu', weights_only=False)
        for p in (path, reference / path.name)
    )
    for key in ('state_dict', 'optimizer'):
        if not _equal(checkpoint[key], expected[key]):
            problems.append(f'{path.name}: {key} is not the reference')
    store = checkpoint.get('oaa', {}).get('store')
    if store is not None and not (path.parent / store).is_file():
        problems.append(f'{path.name} lacks its store {store}')
    return problems


def _equal(first: object, second: object) -> bool:
    """Whether nested containers of tensors are equal, bit for bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(
            _equal(first[key], second[key]) for key in first
        )
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(_equal, first, second))
    return first == second


def label_problems(folder: Path, reference: Path) -> list[str]:
    """The faults in a folder of pseudo-labels whose making was killed.

    Args:
        folder (Path): The folder.
        reference (Path): The same labels, made without interruption.

    Returns:
        list[str]: A label, list or summary that is not the reference's.
    """
    names = [path.relative_to(folder) for path in folder.glob('labels/*.png')]
    names += [
        Path(name)
        for name in ('train.txt', 'summary.json')
        if (folder / name).is_file()
    ]
    problems = [
        f'{name} is not that of the reference'
        for name in names
        if (folder / name).read_bytes() != (reference / name).read_bytes()
    ]
    manifest = folder / 'manifest.json'
    if manifest.is_file():
        read_manifest(manifest)
    elif names:
        problems.append('there are labels, but no manifest')
    return problems


def stamps(paths: list[Path]) -> dict[str, tuple[int, int]]:
    """The inode and time of files, which change when one is rewritten.

    Args:
        paths (list[Path]): Files.

    Returns:
        dict[str, tuple[int, int]]: Path -> inode and time of change.
    """
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in paths
    }
