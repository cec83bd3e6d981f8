"""Plots of a report: inline SVG that takes its colours from the page."""

import io
import re
from collections.abc import Sequence

import numpy as np

from .scores import Score
from .training import Curve, Plot

#: Colours that the page's style sheet defines, `--series-0` and on.
SERIES = 8
#: Drawn in these, replaced by the page's own: one plot for both themes.
_INK, _GRID = '#010203', '#010204'
_SERIES = [f'#0102{16 + index:02x}' for index in range(SERIES)]
#: Inches; small, so that on a phone the text keeps its size.
_SIZE = (4.6, 2.9)
#: Tells lines apart without colours.
_DASHES = ('-', (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))


_STYLE = {
    'axes.axisbelow': True,
    'axes.edgecolor': _GRID,
    'axes.facecolor': 'none',
    'axes.grid': True,
    'axes.labelcolor': _INK,
    'figure.facecolor': 'none',
    'font.size': 9,
    'grid.color': _GRID,
    'lines.linewidth': 1.8,
    'lines.markersize': 5,
    'svg.fonttype': 'none',
    'text.color': _INK,
    **{f'{axis}tick.color': _GRID for axis in 'xy'},
    **{f'{axis}tick.labelcolor': _INK for axis in 'xy'},
}


def sweep_plot(scores: Sequence[Score]) -> list[Plot]:
    """The plot of mIoU over the threshold; a dot marks each one's best.

    Args:
        scores (Sequence[Score]): Those without a sweep are left out.

    Returns:
        list[Plot]: One plot; empty where no score has a sweep.
    """
    curves = []
    for score in scores:
        sweep = score.result.sweep
        if sweep:
            # None, a score that is undefined, becomes NaN here.
            shares = [*sweep['mIoU'], score.result.best['mIoU']]
            *mious, best = np.round(100 * np.array(shares, float), 6)
            dot = (score.result.threshold, best)
            curves.append(Curve(score.name, sweep['threshold'], mious, dot))
    what = 'mIoU of the maps at all thresholds'
    plot = Plot(what, curves, 'threshold', 'mIoU (percent)')
    return [plot] if curves else []


def draw_plot(plot: Plot) -> str:
    """Draw the curves of a plot that have enough points.

    Args:
        plot (Plot): The plot; it has such a curve.

    Returns:
        str: An ``<svg>`` element as wide as its place allows.
    """
    from cycler import cycler
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style = {
        **_STYLE,
        'axes.prop_cycle': cycler(linestyle=_DASHES) * cycler(color=_SERIES),
        'svg.hashsalt': plot.caption,
    }
    with rc_context(style):
        figure = Figure(figsize=_SIZE, layout='constrained')
        axes = figure.subplots()
        axes.spines[['left', 'right', 'top']].set_visible(False)
        for curve in plot.drawn:
            (line,) = axes.plot(curve.x, curve.y, label=curve.name)
            if curve.dot:
                axes.plot(*curve.dot, 'o', color=line.get_color())
        axes.set(xlabel=plot.xlabel, ylabel=plot.ylabel)
        whole = plot.xlabel != 'threshold'
        axes.locator_params('x', integer=whole)
        # Room above the highest point, or its dot would be cut.
        axes.set_ylim(0, 1.05 * axes.dataLim.ymax or 1)
        if len(plot.drawn) > 1:
            figure.legend(loc='outside upper left', ncols=3, frameon=False)
        return _to_svg(figure, plot.caption)


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
    for index, color in enumerate(_SERIES):
        body = body.replace(color, f'var(--series-{index})')
    label = label.replace('&', '&amp;').replace('"', '&quot;')
    return f'<svg {box} role="img" aria-label="{label}">{body}'
