"""The files of a training or a pipeline that a report shows."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oaa_mm.attention.store_names import (
    ACCUMULATED,
    CURRENT,
    WITHIN_EPOCH,
    final_store,
    parse_store_name,
)
from oaa_mm.evaluation.compare import distinct_names
from oaa_mm.io.label_folder import LABELS, is_label_folder
from oaa_mm.visualization import find_epochs

#: Folders that a pipeline has moved aside, such as ``oaa.1``.
_ASIDE = re.compile(r'.+\.\d+')
#: mmengine names the folder of a run by its start.
_RUN = re.compile(r'\d{8}_\d{6}')
_CAPTIONS = {'cam': 'CAM', 'oaa_plus': 'OAA+'}
#: Stores in the order of the method; others come last.
_ORDER = ('cam', ACCUMULATED, 'oaa_plus')


@dataclass
class Sources:
    """Files for a report; a name tells each one's folder.

    Attributes:
        stages (dict[str, Path]): Folders in which a pipeline's stage ran.
        trainings (dict[str, list[Path]]): Logs (``scalars.json``) of each
            training, a resumed one has several, oldest first.
        accumulations (dict[str, Path]): Folders of
            ``attention_epoch_*.safetensors``.
        stores (list[Path]): Other files of maps.
        labels (dict[str, Path]): What make_pseudo_labels.py has made.
        scores (list[Path]): JSON files of ``tools/evaluate.py``.
        tables (list[Path]): ``scores.json`` of pipelines.
        named (list[Path]): Those of `stores` that the user names.
        tests (dict[str, Path]): The newest log of ``tools/test.py``, JSON.
    """

    stages: dict[str, Path] = field(default_factory=dict)
    trainings: dict[str, list[Path]] = field(default_factory=dict)
    accumulations: dict[str, Path] = field(default_factory=dict)
    stores: list[Path] = field(default_factory=list)
    labels: dict[str, Path] = field(default_factory=dict)
    scores: list[Path] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    named: list[Path] = field(default_factory=list)
    tests: dict[str, Path] = field(default_factory=dict)

    def count(self) -> int:
        """The number of all files and folders."""
        return sum(map(len, vars(self).values()))

    def out_folder(self, work_dir: str | os.PathLike) -> Path:
        """The folder for what is made of a run.

        Args:
            work_dir (str | os.PathLike): The run that the user names.

        Returns:
            Path: It; of a single store or a folder of labels or maps, the
            folder that holds it, so that nothing is added to those.
        """
        inside = Path(work_dir).absolute()
        single = inside in (*self.named, *self.labels.values())
        return Path(work_dir).parent if single else Path(work_dir)

    def longest_training(self) -> Path | None:
        """The folder of the training that left stores of most epochs."""
        return max(
            self.accumulations.values(),
            key=lambda folder: len(set().union(*find_epochs(folder))),
            default=None,
        )

    def maps(self, without: Path | None = None) -> dict[Path, str]:
        """Stores in the order of the method; of a training, the last one.

        Args:
            without (Path | None): A training whose store is left out.
                Defaults to None.

        Returns:
            dict[Path, str]: File -> caption.
        """
        folders = (f for f in self.accumulations.values() if f != without)
        last = (path for f in folders if (path := final_store(f)).is_file())
        paths = sorted([*self.stores, *last], key=_rank)
        names = distinct_names(paths)
        return {path: store_caption(names[path]) for path in paths}


def _rank(store: Path) -> int:
    kind = (parse_store_name(store) or (store.stem,))[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def find_sources(work_dirs: Sequence[str | os.PathLike]) -> Sources:
    """Look through folders for all that a report can show.

    Args:
        work_dirs (Sequence[str | os.PathLike]): Work_dirs of pipelines or
            trainings, searched with all folders in them; single stores, and
            folders in the authors' format.

    Returns:
        Sources: The files.

    Raises:
        FileNotFoundError: A folder is absent, or they hold nothing.
    """
    found = Sources()
    for work_dir in work_dirs:
        root = Path(work_dir).absolute()
        if not root.exists():
            raise FileNotFoundError(f'no such run, folder or file: {work_dir}')
        base = root if len(work_dirs) == 1 else root.parent
        before = found.count()
        for path in _files(root):
            _add(path, base, found)
        # Otherwise a single store, or maps in the authors' format.
        if found.count() == before and any(
            [root.is_file(), *root.glob('*.png')]
        ):
            found.stores.append(root)
            found.named.append(root)
    if not found.count():
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


def _files(root: Path) -> Iterator[Path]:
    """All files but labels, in order of time for runs."""
    for folder, inner, files in os.walk(root):
        labels = is_label_folder(folder)
        inner[:] = sorted(
            name
            for name in inner
            if not name.startswith('.')
            and not _ASIDE.fullmatch(name)
            and not (labels and name == LABELS)
        )
        yield from (Path(folder, name) for name in sorted(files))


def _name(folder: Path, base: Path) -> str:
    inside = Path(os.path.relpath(folder, base)).as_posix()
    # Also of the base itself, or of a folder that holds it.
    return folder.name if inside.startswith('.') else inside


def _add(path: Path, base: Path, found: Sources) -> None:
    folder = path.parent
    name = _name(folder, base)
    if path.name in ('stage.json', 'stage_started.json'):
        found.stages[name] = folder
    elif path.parts[-2:] == ('vis_data', 'scalars.json'):
        # NAME/20261125_095343/vis_data/scalars.json
        name = _name(folder.parents[1], base)
        found.trainings.setdefault(name, []).append(path)
    elif path.suffix == '.safetensors':
        kind, _ = parse_store_name(path) or ('', 0)
        if not kind:
            found.stores.append(path)
        elif kind != WITHIN_EPOCH:
            found.accumulations[name] = folder
    elif path.suffix != '.json':
        return
    elif _RUN.fullmatch(folder.name) and path.stem == folder.name:
        found.tests[_name(folder.parent, base)] = path
    else:
        _add_json(path, name, found)


def _add_json(path: Path, name: str, found: Sources) -> None:
    content = read_json(path)
    if content.get('tool') == 'make_pseudo_labels':
        found.labels[name] = path.parent
    elif 'classes' in content and {'stores', 'folders'} & {*content}:
        found.scores.append(path)
    elif {'columns', 'scores'} <= {*content}:
        found.tables.append(path)


def store_caption(name: str) -> str:
    """Put the name of a store into a reader's words.

    Args:
        name (str): A stem, led by folders or not.

    Returns:
        str: For example ``'OAA, epoch 20'``; the folders stay in front.
    """
    *folders, stem = name.split('/')
    kind, number = parse_store_name(stem) or (CURRENT, 0)
    if kind != CURRENT:
        stem = f'OAA, {kind.rpartition("_")[2]} {number}'
    return '/'.join([*folders, _CAPTIONS.get(stem, stem)])
