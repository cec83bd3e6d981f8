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
from .options import ReportOptions
from .scores import Score, read_scores
from .sources import Sources, find_sources, read_json
from .training import Plot, read_training


@dataclass(frozen=True)
class Report:
    """The content of a page.

    Attributes:
        title (str): Names of the folders.
        folders (tuple[str, ...]): The folders.
        date (str): Local time of the report.
        versions (dict[str, str]): Package -> version.
        stages (dict[str, float | None]): Stage of a pipeline -> minutes that
            it took, in the order in which they ended; None where it was begun
            and has not ended.
        scores (tuple[Score, ...]): In the order of the method.
        curves (tuple[Plot, ...]): Plots of the trainings, in the order of
            their start.
        gallery (Gallery): The images.
        data (DataFolders): The data set of the images.
        notes (tuple[str, ...]): What is missing, and how to get it.
    """

    title: str
    folders: tuple[str, ...]
    date: str
    versions: dict[str, str]
    stages: dict[str, float | None]
    scores: tuple[Score, ...]
    curves: tuple[Plot, ...]
    gallery: Gallery
    data: DataFolders
    notes: tuple[str, ...]


def collect_report(
    work_dirs: Sequence[str | os.PathLike], options: ReportOptions
) -> Report:
    """Gather what the folders of a pipeline or of trainings hold.

    Args:
        work_dirs (Sequence[str | os.PathLike]): Searched with all folders in
            them.
        options (ReportOptions): Which images, and how.

    Returns:
        Report: What is missing is in its notes.

    Raises:
        FileNotFoundError: A folder is absent, or there is nothing at all.
        ValueError: A file is damaged, or an option is wrong.
    """
    sources = find_sources(work_dirs)
    data = find_data(sources, options)
    scores = read_scores(sources)
    trainings = sorted(
        sources.trainings.items(), key=lambda item: item[1][0].parts[-3]
    )
    gallery = draw_gallery(sources, data, options, scores)
    return Report(
        title=', '.join(Path(path).resolve().name for path in work_dirs),
        folders=tuple(str(path) for path in work_dirs),
        date=datetime.now().strftime('%Y-%m-%d %H:%M'),
        versions=installed_versions(),
        stages=_stage_minutes(sources),
        scores=tuple(scores),
        curves=tuple(p for t in trainings for p in read_training(*t)),
        gallery=gallery,
        data=data,
        notes=(*_missing(sources, scores), *data.notes, *gallery.notes),
    )


def _stage_minutes(sources: Sources) -> dict[str, float | None]:
    ended = []
    for name, folder in sources.stages.items():
        record, minutes = folder / 'stage.json', None
        if record.is_file():
            minutes = read_json(record).get('seconds', 0) / 60
        else:
            record = folder / 'stage_started.json'
        ended.append((record.stat().st_mtime, name, minutes))
    return {name: minutes for _, name, minutes in sorted(ended)}


def _missing(sources: Sources, scores: Sequence[Score]) -> list[str]:
    """What a finished run of the whole method has and this one has not."""
    kinds = {score.kind for score in scores}
    names = {path.stem for path in sources.stores.values()}
    checks = {
        'No training has left a log (vis_data/scalars.json).': (
            sources.trainings
        ),
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
