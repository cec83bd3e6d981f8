"""What the folders of a training or a pipeline hold for a report."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oaa_mm.visualization.epochs import parse_store_name

#: Folders that a pipeline has moved aside, such as ``oaa.1``.
_ASIDE = re.compile(r'.+\.\d+')
#: mmengine names the folder of a run by its start.
_RUN = re.compile(r'\d{8}_\d{6}')
_STAGE_FILES = ('stage.json', 'stage_started.json')


@dataclass
class Sources:
    """Files for a report; a name tells each one's folder.

    Attributes:
        stages (dict[str, Path]): Folders in which a pipeline's stage ran.
        trainings (dict[str, list[Path]]): Logs (``scalars.json``) of each
            training, a resumed one has several, oldest first.
        accumulations (dict[str, Path]): Folders of
            ``attention_epoch_*.safetensors``.
        stores (dict[str, Path]): Other files of maps.
        labels (dict[str, Path]): What make_pseudo_labels.py has made.
        scores (dict[str, Path]): JSON files of ``tools/evaluate.py``.
        tests (dict[str, Path]): The newest log of ``tools/test.py``, JSON.
    """

    stages: dict[str, Path] = field(default_factory=dict)
    trainings: dict[str, list[Path]] = field(default_factory=dict)
    accumulations: dict[str, Path] = field(default_factory=dict)
    stores: dict[str, Path] = field(default_factory=dict)
    labels: dict[str, Path] = field(default_factory=dict)
    scores: dict[str, Path] = field(default_factory=dict)
    tests: dict[str, Path] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not any(vars(self).values())


def find_sources(work_dirs: Sequence[str | os.PathLike]) -> Sources:
    """Look through folders for all that a report can show.

    Args:
        work_dirs (Sequence[str | os.PathLike]): Work_dirs of pipelines or
            trainings, searched with all folders in them.

    Returns:
        Sources: The files.

    Raises:
        FileNotFoundError: A folder is absent, or they hold nothing.
    """
    found = Sources()
    for root in map(Path, work_dirs):
        if not root.is_dir():
            raise FileNotFoundError(f'no such work_dir: {root}')
        for folder, files in _walk(root):
            name = _name(root, folder, alone=len(work_dirs) == 1)
            _look_into(folder, files, name, found)
    if found.empty:
        raise FileNotFoundError(
            f'{", ".join(map(str, work_dirs))}: nothing to report on. Looked '
            'for stage.json, vis_data/scalars.json, '
            'attention_epoch_*.safetensors, other *.safetensors, '
            'pseudo-labels with their manifest.json, and the JSON files of '
            'tools/evaluate.py and tools/test.py, in all folders below'
        )
    return found


def read_json(path: Path) -> dict:
    """The object in a JSON file.

    Args:
        path (Path): The file.

    Returns:
        dict: Empty where the file holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Folders with their files, in order of time for runs."""
    for folder, inner, files in os.walk(root):
        labels = 'manifest.json' in files and 'labels' in inner
        inner[:] = sorted(
            name
            for name in inner
            if not name.startswith('.')
            and not _ASIDE.fullmatch(name)
            and not (labels and name == 'labels')
        )
        yield Path(folder), sorted(files)


def _name(root: Path, folder: Path, *, alone: bool) -> str:
    inside = folder.relative_to(root).as_posix()
    if inside == '.':
        return root.resolve().name
    return inside if alone else f'{root.resolve().name}/{inside}'


def _look_into(
    folder: Path, files: list[str], name: str, found: Sources
) -> None:
    if any(file in files for file in _STAGE_FILES):
        found.stages[name] = folder
    if folder.name == 'vis_data' and 'scalars.json' in files:
        # NAME/20261125_095343/vis_data/scalars.json
        training = '/'.join(name.split('/')[:-2]) or folder.resolve().parts[-3]
        path = folder / 'scalars.json'
        found.trainings.setdefault(training, []).append(path)
        return
    if _RUN.fullmatch(folder.name):
        if f'{folder.name}.json' in files:
            test = '/'.join(name.split('/')[:-1]) or folder.resolve().parts[-2]
            found.tests[test] = folder / f'{folder.name}.json'
        return
    for file in files:
        _look_at(folder / file, name, found)


def _look_at(path: Path, name: str, found: Sources) -> None:
    stem = path.stem
    if path.suffix == '.safetensors':
        kind, _ = parse_store_name(path) or ('', 0)
        if not kind:
            found.stores[f'{name}/{stem}'] = path
        elif kind != 'attention_iter':
            found.accumulations[name] = path.parent
    elif path.name == 'manifest.json':
        if read_json(path).get('tool') == 'make_pseudo_labels':
            found.labels[name] = path.parent
    elif path.suffix == '.json' and not path.name.endswith('.manifest.json'):
        content = read_json(path)
        if 'classes' in content and (
            'stores' in content or 'folders' in content
        ):
            found.scores[f'{name}/{stem}'] = path
