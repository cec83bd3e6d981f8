"""Manifests: what made an artefact, as JSON beside it.

An artefact is a store, a folder of labels or a checkpoint. Its manifest names
the tool, all parameters, fingerprints of the inputs, the seed and versions.
Two artefacts of equal manifests (:func:`differences`) are interchangeable.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

from .files import atomic_write

FORMAT = 'oaa_mm.manifest'
PACKAGES = ('oaa_mm', 'torch', 'mmengine', 'mmcv', 'mmseg', 'numpy')


def installed_versions() -> dict[str, str]:
    """Versions of Python, oaa_mm and what it is built on.

    Returns:
        dict[str, str]: Import package -> version.
    """
    versions = {name: import_module(name).__version__ for name in PACKAGES}
    return {'python': platform.python_version(), **versions}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What made an artefact.

    Args:
        tool (str): The command or config, for example
            ``'make_pseudo_labels'``.
        parameters (dict[str, Any]): Every parameter, as JSON types.
        inputs (dict[str, dict]): Role of an input (``'store'``) -> what
            :func:`oaa_mm.io.fingerprint.fingerprint` returned.
        seed (int | None): None where nothing is random.
        versions (dict[str, str]): Defaults to the installed ones.
        date (str): ISO 8601. Defaults to now.
    """

    tool: str
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    seed: int | None = None
    versions: dict[str, str] = field(default_factory=installed_versions)
    date: str = field(default_factory=_now)


def manifest_path(artefact: str | os.PathLike) -> Path:
    """Where the manifest of a file lies: beside it.

    Args:
        artefact (str | os.PathLike): A store or checkpoint.

    Returns:
        Path: ``{artefact}.manifest.json``.
    """
    return Path(f'{os.fspath(artefact)}.manifest.json')


def write_manifest(path: str | os.PathLike, manifest: Manifest) -> None:
    """Write a manifest, atomically.

    Args:
        path (str | os.PathLike): The file, usually ``manifest.json``.
        manifest (Manifest): What to write.

    Raises:
        ValueError: A parameter is no JSON type.
    """
    content = {'format': FORMAT, 'version': 1, **asdict(manifest)}
    try:
        text = json.dumps(content, indent=1, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{path}: the manifest holds what JSON cannot ({error})'
        ) from error
    with atomic_write(path, 'w') as file:
        file.write(text + '\n')


def read_manifest(path: str | os.PathLike) -> Manifest:
    """Read a manifest and check its form.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        Manifest: The manifest.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no manifest, damaged or of another version.
    """
    try:
        content = json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise FileNotFoundError(f'no such manifest: {path}') from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not a manifest: {error}') from error
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise ValueError(f'{path} is JSON, but not a manifest of oaa_mm')
    if content.get('version') != 1:
        raise ValueError(
            f'{path}: manifest of version {content.get("version")}, this '
            'release of oaa_mm reads version 1'
        )
    entries = {f.name: content.get(f.name) for f in fields(Manifest)}
    wrong = {
        name
        for name, value in entries.items()
        if not isinstance(value, _TYPES[name])
    }
    if 'inputs' not in wrong and not all(
        isinstance(entry, dict) for entry in entries['inputs'].values()
    ):
        wrong.add('inputs')
    if wrong:
        raise ValueError(
            f'{path} is a damaged manifest: {", ".join(sorted(wrong))}'
        )
    return Manifest(**entries)


_TYPES = {
    'tool': str,
    'parameters': dict,
    'inputs': dict,
    'seed': (int, type(None)),
    'versions': dict,
    'date': str,
}


def differences(
    old: Manifest, new: Manifest, *, versions: bool = False
) -> list[str]:
    """What would make two artefacts differ.

    Paths and dates do not count: an input is the same wherever it lies.

    Args:
        old (Manifest): Of the artefact that is there.
        new (Manifest): Of the one that would be made now.
        versions (bool): Whether versions count. Defaults to False.

    Returns:
        list[str]: One line each, ``name: old -> new``; empty where nothing
        differs.
    """
    ways = (_identity(old, versions), _identity(new, versions))
    lines = []
    for name in sorted(set(ways[0]) | set(ways[1])):
        before, after = (way.get(name, 'nothing') for way in ways)
        if before != after:
            lines.append(f'{name}: {before} -> {after}')
    return lines


def _identity(manifest: Manifest, versions: bool) -> dict[str, Any]:
    flat = {'tool': manifest.tool, 'seed': manifest.seed}
    flat |= {
        # As JSON gives it back: a tuple is a list there.
        f'parameter {name}': json.loads(json.dumps(value))
        for name, value in manifest.parameters.items()
    }
    for name, entry in manifest.inputs.items():
        flat[f'input {name}'] = (
            f'{entry.get("count", 1)} file(s), sha256 '
            f'{str(entry.get("sha256"))[:12]}'
        )
    if versions:
        flat |= {f'version of {n}': v for n, v in manifest.versions.items()}
    return flat
