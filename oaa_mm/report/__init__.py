"""One HTML page that shows what a pipeline or training has made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from oaa_mm.io import atomic_write

from .collect import Report, collect_report
from .options import ReportOptions
from .render import render_report

__all__ = [
    'Report',
    'ReportOptions',
    'collect_report',
    'render_report',
    'write_report',
]


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
