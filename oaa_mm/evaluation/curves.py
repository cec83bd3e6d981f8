"""Plots of threshold sweeps."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oaa_mm.checks import check_choice
from oaa_mm.io import atomic_write

from .results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_curves(results: Sequence[Result]) -> 'Figure':
    """Plot mIoU against the threshold, and precision against recall.

    Args:
        results (Sequence[Result]): The stores; a dot marks the best
            threshold of each.

    Returns:
        Figure: Two axes side by side, not bound to any display.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout='constrained')
    left, right = figure.subplots(1, 2)
    colors = colormaps['viridis'](np.linspace(0, 0.9, len(results)))
    if len(results) <= 10:
        colors = colormaps['tab10'].colors
    for result, color in zip(results, colors, strict=False):
        sweep = {n: np.array(row, float) for n, row in result.sweep.items()}
        thresholds = sweep.pop('threshold')
        means = {name: 100 * row for name, row in sweep.items()}
        best = int(means['mIoU'].argmax())
        dot = {'color': color, 'marker': 'o', 'markevery': [best]}
        left.plot(thresholds, means['mIoU'], label=result.name, **dot)
        right.plot(means['recall'], means['precision'], **dot)
    left.set(xlabel='threshold', ylabel='mIoU (%)', xlim=(0, 1))
    right.set(
        xlabel='recall (%), mean of classes',
        ylabel='precision (%), mean of classes',
        xlim=(0, 100),
    )
    for axes in (left, right):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.spines[['top', 'right']].set_visible(False)
    # Below the axes: many stores would cover the curves.
    figure.legend(loc='outside lower center', ncols=4, frameon=False)
    return figure


def save_curves(path: str | os.PathLike, results: Sequence[Result]) -> None:
    """Write :func:`plot_curves` to a file.

    Args:
        path (str | os.PathLike): ``*.png``, ``*.svg`` or ``*.pdf``.
        results (Sequence[Result]): The stores.

    Raises:
        ValueError: The file's suffix is not one of these.
    """
    kind = check_plot_path(path)
    figure = plot_curves(results)
    with atomic_write(path) as file:
        figure.savefig(file, format=kind, dpi=150)


def check_plot_path(path: str | os.PathLike) -> str:
    """The format of a plot's file, for a check before long work.

    Args:
        path (str | os.PathLike): The file to be written.

    Returns:
        str: ``'png'``, ``'svg'`` or ``'pdf'``.

    Raises:
        ValueError: The file's suffix is another one.
    """
    suffix = Path(path).suffix.lower()
    check_choice(f'the suffix of {path}', suffix, ('.png', '.svg', '.pdf'))
    return suffix.removeprefix('.')
