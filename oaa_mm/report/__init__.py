"""One HTML page that shows what a pipeline or training has made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from oaa_mm.io import atomic_write

from .collect import Report, collect_report
from .ranking import ImageChoice
from .render import render_report

__all__ = [
    'ImageChoice',
    'Report',
    'collect_report',
    'render_report',
    'write_report',
]


def write_report(
    work_dirs: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    choice: ImageChoice | None = None,
    *,
    img_dir: str | os.PathLike | None = None,
    mask_dir: str | os.PathLike | None = None,
    classes: str | None = None,
) -> Report:
    """Write the page of some folders.

    Args:
        work_dirs (Sequence[str | os.PathLike]): See :func:`collect_report`.
        out (str | os.PathLike): The page, ``*.html``.
        choice (ImageChoice | None): Which images. Defaults to the defaults of
            :class:`ImageChoice`.
        img_dir (str | os.PathLike | None): See :func:`collect_report`.
        mask_dir (str | os.PathLike | None): See :func:`collect_report`.
        classes (str | None): See :func:`collect_report`.

    Returns:
        Report: What the page says.

    Raises:
        FileNotFoundError: A folder is absent, or there is nothing at all.
        ValueError: A file is damaged, or an argument is wrong.
    """
    if Path(out).suffix.lower() not in ('.html', '.htm'):
        raise ValueError(f'{out}: a report is written as a .html file')
    report = collect_report(
        work_dirs,
        choice or ImageChoice(),
        img_dir=img_dir,
        mask_dir=mask_dir,
        classes=classes,
    )
    with atomic_write(out, 'w') as file:
        file.write(render_report(report))
    return report
