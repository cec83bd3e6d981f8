"""Plots of a report: inline SVG that takes its colours from the page."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .scores import Score
from .training import Curve, Training

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours that the page's style sheet defines, `--series-0` and on.
SERIES = 8
#: Drawn in these, replaced by the page's own: one plot for both themes.
_INK, _GRID = '#010203', '#010204'
#: Inches; small, so that on a phone the text keeps its size.
_SIZE = (4.6, 2.9)
#: Tells lines apart without colours.
_DASHES = ('-', (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))


def _series_color(index: int) -> str:
    return f'#0102{16 + index % SERIES:02x}'


def line_plot(
    curves: Sequence[Curve],
    *,
    xlabel: str,
    ylabel: str,
    label: str,
    dots: Sequence[tuple[float, float] | None] = (),
) -> str:
    """Draw curves over one axis.

    Args:
        curves (Sequence[Curve]): At least one; NaN leaves a gap.
        xlabel (str): Of the horizontal axis.
        ylabel (str): Of the vertical axis.
        label (str): What the plot shows, for screen readers.
        dots (Sequence[tuple[float, float] | None]): A point of each curve to
            mark.

    Returns:
        str: An ``<svg>`` element as wide as its place allows.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style = {
        'svg.fonttype': 'none',
        'svg.hashsalt': label,
        'font.size': 9,
        'text.color': _INK,
    }
    with rc_context(style):
        figure = Figure(figsize=_SIZE, layout='constrained')
        figure.patch.set_visible(False)
        axes = figure.subplots()
        for index, curve in enumerate(curves):
            _draw(axes, index, curve)
        for index, dot in enumerate(dots):
            if dot is not None:
                axes.plot(*dot, 'o', color=_series_color(index), markersize=5)
        _dress(axes, xlabel, ylabel)
        # Room above the highest point, or its dot would be cut.
        axes.set_ylim(0, 1.05 * axes.dataLim.ymax or 1)
        if len(curves) > 1:
            figure.legend(loc='outside upper left', ncols=3, frameon=False)
        return _to_svg(figure, label)


def _draw(axes: Axes, index: int, curve: Curve) -> None:
    axes.plot(
        curve.x,
        curve.y,
        # A line of one point would be invisible.
        marker='o' if len(curve.x) < 3 else None,
        markersize=4,
        linewidth=1.8,
        linestyle=_DASHES[index // SERIES % len(_DASHES)],
        color=_series_color(index),
        label=curve.name,
    )


def _dress(axes: Axes, xlabel: str, ylabel: str) -> None:
    axes.patch.set_visible(False)
    axes.set_xlabel(xlabel, color=_INK)
    axes.set_ylabel(ylabel, color=_INK)
    axes.tick_params(color=_GRID, labelcolor=_INK)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(_GRID)
    axes.xaxis.get_major_locator().set_params(integer=xlabel != 'threshold')


def _to_svg(figure: object, label: str) -> str:
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(('Creator', 'Date', 'Format', 'Type'))
    figure.savefig(buffer, format='svg', metadata=no_metadata)
    svg = buffer.getvalue()
    svg = svg[svg.index('<svg') :]
    head, body = svg.split('>', 1)
    box = re.search(r'viewBox="[^"]*"', head)[0]
    # Groups of all plots have the same ids, which nothing refers to.
    body = re.sub(r'<g id="[^"]*"', '<g', body)
    body = re.sub(r"'DejaVu Sans'[^;\"]*", 'system-ui, sans-serif', body)
    body = body.replace(_INK, 'currentColor').replace(_GRID, 'var(--grid)')
    for index in range(SERIES):
        color = f'var(--series-{index})'
        body = body.replace(_series_color(index), color)
    label = label.replace('&', '&amp;').replace('"', '&quot;')
    return f'<svg {box} role="img" aria-label="{label}">{body}'


def loss_plot(training: Training) -> str:
    """The loss of a training over its iterations.

    Args:
        training (Training): It has a loss.

    Returns:
        str: See :func:`line_plot`.
    """
    return line_plot(
        [training.loss],
        xlabel='iteration',
        ylabel='loss',
        label=f'Loss of {training.name}',
    )


def attention_plot(training: Training) -> str:
    """Accept rate and coverage of the accumulation over the epochs.

    Args:
        training (Training): It has them.

    Returns:
        str: See :func:`line_plot`.
    """
    return line_plot(
        training.attention,
        xlabel=training.unit,
        ylabel='percent',
        label=f'Accept rate and coverage of {training.name}',
    )


def validation_plot(training: Training) -> str:
    """Scores on the validation images.

    Args:
        training (Training): It has them.

    Returns:
        str: See :func:`line_plot`.
    """
    return line_plot(
        training.validation,
        xlabel=training.unit,
        ylabel=', '.join(curve.name for curve in training.validation)
        + ' (percent)',
        label=f'Validation of {training.name}',
    )


def sweep_plot(scores: Sequence[Score]) -> str:
    """MIoU over the threshold; a dot marks each one's best.

    Args:
        scores (Sequence[Score]): Those of maps, each with a sweep.

    Returns:
        str: See :func:`line_plot`.
    """
    return line_plot(
        [Curve(s.name, s.sweep.x, s.sweep.y) for s in scores],
        xlabel='threshold',
        ylabel='mIoU (percent)',
        label='mIoU of the maps at all thresholds',
        dots=[(score.best_threshold, score.miou) for score in scores],
    )
