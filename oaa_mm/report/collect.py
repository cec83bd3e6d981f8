"""All that a report says, as plain data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from oaa_mm.io.manifest import installed_versions

from .data import DataFolders, find_data
from .gallery import Gallery, draw_gallery
from .ranking import ImageChoice
from .scores import Score, read_scores
from .sources import Sources, find_sources, read_json
from .training import Training, read_training


@dataclass(frozen=True)
class StageTime:
    """One stage of a pipeline.

    Attributes:
        name (str): Its name.
        done (bool): False where it was begun and has not ended.
        minutes (float): How long it ran.
    """

    name: str
    done: bool
    minutes: float


@dataclass(frozen=True)
class Report:
    """The content of a page.

    Attributes:
        title (str): Names of the folders.
        folders (tuple[str, ...]): The folders.
        date (str): Of the report, local time.
        versions (dict[str, str]): Package -> version.
        stages (tuple[StageTime, ...]): In the order in which they ended.
        scores (tuple[Score, ...]): In the order of the method.
        trainings (tuple[Training, ...]): In the order of their start.
        gallery (Gallery): The images.
        data (DataFolders): Of the images.
        notes (tuple[str, ...]): What is missing, and how to get it.
    """

    title: str
    folders: tuple[str, ...]
    date: str
    versions: dict[str, str]
    stages: tuple[StageTime, ...]
    scores: tuple[Score, ...]
    trainings: tuple[Training, ...]
    gallery: Gallery
    data: DataFolders
    notes: tuple[str, ...]


def collect_report(
    work_dirs: Sequence[str | os.PathLike],
    choice: ImageChoice,
    *,
    img_dir: str | os.PathLike | None = None,
    mask_dir: str | os.PathLike | None = None,
    classes: str | None = None,
) -> Report:
    """Gather what the folders of a pipeline or of trainings hold.

    Args:
        work_dirs (Sequence[str | os.PathLike]): Searched with all folders in
            them.
        choice (ImageChoice): Which images, and how.
        img_dir (str | os.PathLike | None): Folder of images. Defaults to what
            the manifests of the stores say.
        mask_dir (str | os.PathLike | None): Folder of masks; likewise.
        classes (str | None): Class names; likewise.

    Returns:
        Report: What is missing is in its notes.

    Raises:
        FileNotFoundError: A folder is absent, or there is nothing at all.
        ValueError: A file is damaged, or an argument is wrong.
    """
    sources = find_sources(work_dirs)
    data = find_data(
        sources, img_dir=img_dir, mask_dir=mask_dir, classes=classes
    )
    scores = read_scores(sources)
    logs = sorted(
        sources.trainings.items(), key=lambda item: item[1][0].parts[-3]
    )
    trainings = [read_training(name, paths) for name, paths in logs]
    thresholds = {
        score.name: score.best_threshold
        for score in scores
        if score.best_threshold is not None
    }
    gallery = draw_gallery(sources, data, choice, thresholds=thresholds)
    return Report(
        title=', '.join(Path(path).resolve().name for path in work_dirs),
        folders=tuple(str(path) for path in work_dirs),
        date=datetime.now().strftime('%Y-%m-%d %H:%M'),
        versions=installed_versions(),
        stages=tuple(_stage_times(sources)),
        scores=tuple(scores),
        trainings=tuple(trainings),
        gallery=gallery,
        data=data,
        notes=(*_missing(sources, scores, trainings), *gallery.notes),
    )


def _stage_times(sources: Sources) -> list[StageTime]:
    times = []
    for name, folder in sources.stages.items():
        record = folder / 'stage.json'
        done = record.is_file()
        when = record if done else folder / 'stage_started.json'
        seconds = read_json(record).get('seconds', 0) if done else 0
        times.append(
            (when.stat().st_mtime, StageTime(name, done, seconds / 60))
        )
    return [stage for _, stage in sorted(times, key=lambda pair: pair[0])]


def _missing(
    sources: Sources, scores: Sequence[Score], trainings: Sequence[Training]
) -> list[str]:
    """What a finished run of the whole method has and this one has not."""
    kinds = {score.kind for score in scores}
    names = {path.stem for path in sources.stores.values()}
    checks = {
        'No training has left a log (vis_data/scalars.json).': trainings,
        'No accumulated maps: train with OAAHook (tools/train.py).': (
            sources.accumulations
        ),
        'No cam.safetensors, the maps of the final classifier: tools/test.py '
        'writes it.': 'cam' in names,
        'No OAA+ maps yet: train an oaa_plus config on the accumulated maps, '
        'then tools/test.py writes oaa_plus.safetensors.': (
            'oaa_plus' in names
        ),
        'No pseudo-labels: tools/make_pseudo_labels.py makes them.': (
            sources.labels
        ),
        'No scores of maps over thresholds and per class: tools/evaluate.py '
        'attention ... --json FILE in this folder writes them.': any(
            score.sweep for score in scores
        ),
        'No scores of pseudo-labels: tools/evaluate.py labels ... --json FILE '
        'in this folder writes them.': 'labels' in kinds,
        'No score of a segmentation network: train one on the pseudo-labels, '
        'then tools/test.py.': 'network' in kinds,
    }
    return [text for text, there in checks.items() if not there]
