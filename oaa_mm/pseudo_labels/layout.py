"""Where a folder of pseudo-labels keeps its PNGs."""

from __future__ import annotations

import os
from pathlib import Path


def label_dir(folder: str | os.PathLike) -> Path:
    """The folder of ``{image_id}.png`` that a user means by a folder.

    Args:
        folder (str | os.PathLike): It, or an output of make_pseudo_labels,
            which holds it in ``labels/``.

    Returns:
        Path: The folder with the PNGs.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'no such folder of labels: {folder}')
    inner = folder / 'labels'
    return inner if inner.is_dir() else folder
