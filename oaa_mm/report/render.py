"""From the data of a report to one HTML page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from oaa_mm.io import atomic_write
from oaa_mm.visualization.overlay import class_color

from .collect import Report
from .plots import (
    SERIES,
    attention_plot,
    loss_plot,
    sweep_plot,
    validation_plot,
)
from .ranking import GROUPS


def render_report(report: Report) -> str:
    """Fill the template.

    Args:
        report (Report): The content.

    Returns:
        str: A page that refers to nothing outside itself.
    """
    environment = Environment(
        loader=PackageLoader('oaa_mm.report'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters['number'] = _number
    shown = sorted({c for card in report.gallery.cards for c in card.classes})
    return environment.get_template('report.html.jinja').render(
        report=report,
        curves=list(_curves(report)),
        sweep=_sweep(report),
        per_class=_per_class(report),
        scored=[score.name for score in report.scores if score.per_class],
        classes=[
            {
                'index': index,
                'name': report.data.class_name(index),
                'color': '#{:02x}{:02x}{:02x}'.format(*class_color(index)),
            }
            for index in shown
        ],
        groups=[
            group
            for group in GROUPS
            if any(group in card.groups for card in report.gallery.cards)
        ],
        epochs=next(
            (
                [step.epoch for step in card.epochs]
                for card in report.gallery.cards
            ),
            [],
        ),
        num_series=SERIES,
    )


def check_page_path(path: str | os.PathLike) -> None:
    """Check the name of a page.

    Args:
        path (str | os.PathLike): The file to be written.

    Raises:
        ValueError: It is not the name of an HTML page.
    """
    if Path(path).suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'{path}: a report is written as a .html file')


def write_page(path: str | os.PathLike, page: str) -> None:
    """Write a page, atomically.

    Args:
        path (str | os.PathLike): ``*.html``.
        page (str): Its text.

    Raises:
        ValueError: The name is not that of an HTML page.
    """
    check_page_path(path)
    with atomic_write(path, 'w') as file:
        file.write(page)


def _number(value: float | None, digits: int = 1) -> str:
    return '–' if value is None else f'{value:.{digits}f}'


def _plot(caption: str, svg: str) -> dict[str, str]:
    return {'caption': caption, 'svg': svg}


def _curves(report: Report) -> Iterator[dict[str, str]]:
    """The plots of all trainings."""
    for training in report.trainings:
        name = training.name
        if training.loss is not None:
            yield _plot(f'Loss, {name}', loss_plot(training))
        if training.attention:
            caption = f'Accept rate and coverage, {name}'
            yield _plot(caption, attention_plot(training))
        if any(len(curve.x) > 1 for curve in training.validation):
            yield _plot(f'Validation, {name}', validation_plot(training))


def _sweep(report: Report) -> dict[str, str] | None:
    swept = [score for score in report.scores if score.sweep is not None]
    if not swept:
        return None
    return _plot('mIoU of the maps over the threshold', sweep_plot(swept))


def _per_class(report: Report) -> Mapping[str, list[float | None]]:
    """Class -> IoU in each of the scores that have it per class."""
    scored = [score.per_class for score in report.scores if score.per_class]
    names = dict.fromkeys(name for score in scored for name in score)
    rows = {name: [s.get(name) for s in scored] for name in names}
    return {
        name: row
        for name, row in rows.items()
        if any(value is not None for value in row)
    }
