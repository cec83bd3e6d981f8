"""From the data of a report to one HTML page."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from oaa_mm.io import atomic_write
from oaa_mm.visualization.overlay import class_color

from .collect import Report, collect_report
from .options import ReportOptions
from .plots import SERIES, draw_plot, sweep_plot
from .ranking import GROUPS

JPEG_QUALITY = 82


def write_report(
    work_dirs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    options: ReportOptions | None = None,
) -> Report:
    """Write the page of some folders.

    Args:
        work_dirs (Sequence[str | os.PathLike]): Work_dirs of pipelines or
            trainings, searched with all folders in them.
        out (str | os.PathLike): The page, ``*.html``.
        options (ReportOptions | None): Which images, and how. Defaults to the
            defaults of :class:`ReportOptions`.

    Returns:
        Report: What the page says.

    Raises:
        FileNotFoundError: A folder is absent, or there is nothing at all.
        ValueError: A file is damaged, or an option is wrong.
    """
    if Path(out).suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'{out}: a report is written as a .html file')
    report = collect_report(work_dirs, options or ReportOptions())
    with atomic_write(out, 'w') as file:
        file.write(render_report(report))
    return report


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
    environment.filters.update(
        color=_color, jpeg=_jpeg_uri, number=_number, plot=draw_plot
    )
    return environment.get_template('report.html.jinja').render(
        report=report,
        sweep=sweep_plot(report.scores),
        per_class=_per_class(report),
        scored=[score.name for score in report.scores if score.per_class],
        groups=GROUPS,
        num_series=SERIES,
    )


def _color(class_index: int) -> str:
    return '#{:02x}{:02x}{:02x}'.format(*class_color(class_index))


def _number(value: float | None, digits: int = 1) -> str:
    return '–' if value is None else f'{value:.{digits}f}'


def _jpeg_uri(picture: np.ndarray) -> str:
    """A (H, W, 3) uint8 RGB picture as a data URI."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode('.jpg', bgr, quality)
    return f'data:image/jpeg;base64,{base64.b64encode(data).decode()}'


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
