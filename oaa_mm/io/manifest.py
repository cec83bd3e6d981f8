"""Manifests: the one record of what made a file or a folder, as JSON.

A manifest lies beside a store or a checkpoint, in a folder of labels and in
the folder of a pipeline's stage. It names the tool, all parameters,
fingerprints of the inputs, the seed and versions; that of a stage also has
fingerprints of its outputs. What was made is still valid as long as
:func:`differences` finds none between its manifest and that of a new run.
"""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

from .files import read_text, write_json

FORMAT = 'oaa_mm.manifest'
PACKAGES = ('oaa_mm', 'torch', 'mmengine', 'mmcv', 'mmseg', 'numpy')


class ForeignManifestError(ValueError):
    """A file is JSON, but not a manifest of oaa_mm."""


def installed_versions() -> dict[str, str]:
    """Versions of Python, oaa_mm and the packages it is built on.

    Returns:
        dict[str, str]: Import package -> version.
    """
    versions = {name: import_module(name).__version__ for name in PACKAGES}
    return {'python': platform.python_version(), **versions}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The record of what made a file or a folder.

    Args:
        tool (str): The command or the kind of run, for example
            ``'make_pseudo_labels'``.
        parameters (dict[str, Any]): Every parameter, as JSON types.
        inputs (dict[str, dict]): Role (``'store'``) or path of an input ->
            the result of :func:`oaa_mm.io.fingerprint.fingerprint`.
        outputs (dict[str, dict]): The same of the files that were made, where
            there are more than the manifest's own. Defaults to none.
        data_set (dict[str, Any]): The files and classes of the images, see
            :mod:`oaa_mm.attention.record`. Defaults to none.
        results (dict[str, Any]): Measurements of the run, as JSON types; an
            entry `warning` names a fault. Defaults to nothing.
        seed (int | None): None where nothing is random.
        seconds (float): How long it took; 0 where nobody measured it.
        versions (dict[str, str]): Defaults to the installed ones.
        date (str): ISO 8601. Defaults to now.
    """

    tool: str
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    data_set: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=installed_versions)
    date: str = field(default_factory=_now)


#: The others are dicts.
_TYPES = {'tool': str, 'seed': int | None, 'seconds': float | int, 'date': str}


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
        manifest (Manifest): The record.

    Raises:
        OSError: The file cannot be written.
        ValueError: A parameter is no JSON type.
    """
    write_json(path, {'format': FORMAT, 'version': 1, **asdict(manifest)})


def read_manifest(path: str | os.PathLike) -> Manifest:
    """Read a manifest.

    Args:
        path (str | os.PathLike): The file.

    Returns:
        Manifest: The record.

    Raises:
        FileNotFoundError: There is no such file.
        ForeignManifestError: It is JSON of another kind.
        ValueError: It is no JSON, damaged or of another version.
    """
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not a manifest: {error}') from error
    if not isinstance(content, dict):
        content = {}
    if content.get('format') != FORMAT:
        raise ForeignManifestError(
            f'{path} is JSON, but not a manifest of oaa_mm'
        )
    if content.get('version') != 1:
        raise ValueError(
            f'{path}: manifest of version {content.get("version")}, but this '
            'release of oaa_mm reads version 1'
        )
    # Earlier versions did not write these.
    absent = {'outputs': {}, 'data_set': {}, 'results': {}, 'seconds': 0.0}
    content = absent | content
    entries = {f.name: content.get(f.name) for f in fields(Manifest)}
    wrong = [n for n, value in sorted(entries.items()) if not _fits(n, value)]
    if wrong:
        raise ValueError(f'{path} is a damaged manifest: {", ".join(wrong)}')
    return Manifest(**entries)


def _fits(name: str, value: Any) -> bool:
    """Whether the value of an entry is of the right type."""
    if name in ('inputs', 'outputs') and isinstance(value, dict):
        return all(isinstance(entry, dict) for entry in value.values())
    return isinstance(value, _TYPES.get(name, dict))


def differences(old: Manifest, new: Manifest) -> list[str]:
    """List how a record differs from that of a run that starts now.

    Paths, dates and versions do not count: an input is the same wherever it
    lies.

    Args:
        old (Manifest): The manifest that is there.
        new (Manifest): The manifest of a run that starts now.

    Returns:
        list[str]: One line each, ``name: old -> new``; empty where nothing
        differs: what is there is still valid.
    """
    before, after = _identity(old), _identity(new)
    return [
        f'{name}: {before.get(name, "nothing")} -> '
        f'{after.get(name, "nothing")}'
        for name in sorted(before | after)
        if before.get(name) != after.get(name)
    ]


def enter_folder(
    path: str | os.PathLike,
    manifest: Manifest,
    made: Sequence[Path],
    *,
    summaries: Sequence[Path] = (),
    overwrite: bool = False,
) -> None:
    """Make sure that a folder holds nothing that was made differently.

    Args:
        path (str | os.PathLike): The manifest of the folder; it is written
            where it is absent or differs.
        manifest (Manifest): The manifest of a run that starts now.
        made (Sequence[Path]): The files of this kind that are there.
        summaries (Sequence[Path]): Files that are written when all is made.
            Defaults to none.
        overwrite (bool): Delete all of these where they were made with other
            parameters or inputs, in place of an error. Defaults to False.

    Raises:
        ValueError: They were made differently, or nothing says how.
    """
    path = Path(path)
    if not path.is_file():
        if made:
            raise ValueError(
                f'{path.parent} holds {len(made)} PNG files, but no {path} '
                'says what made them, so nothing was written; name a new '
                'folder'
            )
        write_manifest(path, manifest)
        return
    old = read_manifest(path)
    changes = differences(old, manifest)
    if old.tool != manifest.tool or (changes and made and not overwrite):
        raise ValueError(
            f'{path.parent} holds what was made differently:\n  '
            + '\n  '.join(changes)
            + '\nName another folder, or give --overwrite to delete what '
            'other parameters made and start anew.'
        )
    if changes:
        for file in (*made, *summaries):
            file.unlink(missing_ok=True)
    same = old.results == manifest.results
    # The data set differs where the images were moved.
    if changes or not same or old.data_set != manifest.data_set:
        write_manifest(path, manifest)


def _identity(manifest: Manifest) -> dict[str, Any]:
    flat = {'tool': manifest.tool, 'seed': manifest.seed}
    flat |= {
        # As JSON gives it back: a tuple is a list there.
        f'parameter {name}': json.loads(json.dumps(value))
        for name, value in manifest.parameters.items()
    }
    for role in ('input', 'output'):
        for name, entry in getattr(manifest, f'{role}s').items():
            flat[f'{role} {name}'] = (
                f'{entry.get("count", 1)} file(s), sha256 '
                f'{str(entry.get("sha256"))[:12]}'
            )
    return flat
