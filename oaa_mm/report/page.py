"""The HTML page of a report."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from oaa_mm.evaluation.summary import read_summary
from oaa_mm.io import atomic_write
from oaa_mm.io.manifest import installed_versions
from oaa_mm.visualization import class_color, jpeg_uri

from .gallery import NUM_FIRST, ImageCard, draw_gallery
from .plots import SERIES, draw_plot, sweep_plot
from .ranking import GROUPS
from .run import ReportOptions, Run, open_run
from .scores import Score, read_scores
from .sources import Sources, find_sources, read_json
from .training import read_training


@dataclass(frozen=True)
class Report:
    """The content of a page.

    Attributes:
        scores (Sequence[Score]): In the order of the method.
        cards (Sequence[ImageCard]): The images.
        ranked_by (str): What best and worst mean; empty without a ranking.
        run (Run): The maps and labels, and their data set.
        notes (Sequence[str]): What is missing, and how to get it.
    """

    scores: Sequence[Score]
    cards: Sequence[ImageCard]
    ranked_by: str
    run: Run
    notes: Sequence[str]


def write_report(
    work_dirs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    options: ReportOptions | None = None,
) -> Report:
    """Write the page of what the folders of a pipeline or trainings hold.

    Args:
        work_dirs (Sequence[str | os.PathLike]): Work_dirs of pipelines or
            trainings, searched with all folders in them.
        out (str | os.PathLike): The page, ``*.html``. It refers to nothing
            outside itself.
        options (ReportOptions | None): Which images, and how. Defaults to the
            defaults of :class:`ReportOptions`.

    Returns:
        Report: The content of the page; its notes name what is missing.

    Raises:
        FileNotFoundError: A folder is absent, or there is nothing at all.
        ValueError: A file is damaged, or an option is wrong.
    """
    if Path(out).suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'{out}: a report is written as a .html file')
    options = options or ReportOptions()
    sources = find_sources(work_dirs)
    run = open_run(sources, options)
    scores = read_scores(sources)
    trainings = sorted(
        sources.trainings.items(), key=lambda item: item[1][0].parts[-3]
    )
    curves = [plot for item in trainings for plot in read_training(*item)]
    cards, ranked_by, hidden = draw_gallery(run, scores, options)
    notes = [*_missing(sources, scores), *run.notes, *hidden]
    report = Report(scores, cards, ranked_by, run, notes)
    page = _template().render(
        report=report,
        title=', '.join(Path(path).resolve().name for path in work_dirs),
        folders=list(map(str, work_dirs)),
        date=datetime.now().strftime('%Y-%m-%d %H:%M'),
        versions=installed_versions(),
        stages=_stage_minutes(sources),
        curves=sorted(curves, key=lambda plot: not plot.drawn),
        tables={path.parent: read_summary(path) for path in sources.tables},
        first=[c for c in cards if 'moving' in c.groups] or cards[:NUM_FIRST],
        sweep=sweep_plot(scores),
        per_class=_per_class(scores),
        scored=[score.name for score in scores if score.result.class_ious],
        groups=GROUPS,
        num_series=SERIES,
    )
    with atomic_write(out, 'w') as file:
        file.write(page)
    return report


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader('oaa_mm.report'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        color=_color,
        jpeg=jpeg_uri,
        number=_number,
        percent=_percent,
        plot=draw_plot,
    )
    return environment.get_template('report.html.jinja')


def _stage_minutes(sources: Sources) -> dict[str, float | None]:
    """Stage -> minutes, in the order of their ends; None: it has not ended."""
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
    kinds = {score.result.kind for score in scores}
    names = {path.stem for path in sources.stores}
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
            score.result.sweep for score in scores
        ),
        'No scores of pseudo-labels: tools/evaluate.py labels ... --json FILE '
        'in this folder writes them.': 'labels' in kinds,
        'No score of a segmentation network: train one on the pseudo-labels, '
        'then tools/test.py.': 'network' in kinds,
    }
    return [text for text, there in checks.items() if not there]


def _per_class(scores: Sequence[Score]) -> dict[str, list[float | None]]:
    """Class -> IoU in percent in each of the scores that have any."""
    scored = [ious for s in scores if (ious := s.result.class_ious)]
    names = dict.fromkeys(name for ious in scored for name in ious)
    rows = {n: [_percent(ious.get(n)) for ious in scored] for n in names}
    return {name: row for name, row in rows.items() if {*row} != {None}}


def _color(class_index: int) -> str:
    return '#{:02x}{:02x}{:02x}'.format(*class_color(class_index))


def _percent(share: float | None) -> float | None:
    # Percent that a file held as percent come back as they were.
    return None if share is None else round(100 * share, 6)


def _number(value: float | None) -> str:
    return '–' if value is None else f'{value:.1f}'
