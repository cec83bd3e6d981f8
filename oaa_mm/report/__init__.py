"""One HTML page that shows what a pipeline or training has made."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .collect import Report, collect_report
from .gallery import ImageChoice
from .render import check_page_path, render_report, write_page

__all__ = [
    'ImageChoice',
    'Report',
    'collect_report',
    'render_report',
    'write_page',
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
        mask_dir (str | os.PathLike | None): Likewise.
        classes (str | None): Likewise.

    Returns:
        Report: What the page says.

    Raises:
        FileNotFoundError: A folder is absent, or there is nothing at all.
        ValueError: A file is damaged, or an argument is wrong.
    """
    check_page_path(out)  # before minutes of work
    report = collect_report(
        work_dirs,
        choice or ImageChoice(),
        img_dir=img_dir,
        mask_dir=mask_dir,
        classes=classes,
    )
    write_page(out, render_report(report))
    return report
