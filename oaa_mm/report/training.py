"""Curves of trainings, from the logs that mmengine keeps."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Validation scores that are worth a curve, in percent.
_SCORES = ('mIoU', 'mAP')
#: A curve of fewer points is no picture: its numbers are written out.
FEWEST_POINTS = 3
#: Shares that OAAHook logs.
_RATES = ('oaa_accept_rate', 'oaa_coverage')


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Attributes:
        name (str): What it shows.
        x (tuple[float, ...]): Epochs or iterations.
        y (tuple[float, ...]): As long as `x`; NaN leaves a gap.
        dot (tuple[float, float] | None): A point to mark. Defaults to None.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dot: tuple[float, float] | None = None


@dataclass(frozen=True)
class Plot:
    """Curves over one axis.

    Attributes:
        caption (str): What the plot shows.
        curves (Sequence[Curve]): At least one.
        xlabel (str): Label of the horizontal axis.
        ylabel (str): Label of the vertical axis.
    """

    caption: str
    curves: Sequence[Curve]
    xlabel: str
    ylabel: str

    @property
    def drawn(self) -> list[Curve]:
        """The curves that have enough points; others are written out."""
        return [c for c in self.curves if len(c.x) >= FEWEST_POINTS]


def read_training(name: str, logs: Sequence[Path]) -> list[Plot]:
    """Read the logs of a training and of its resumed runs.

    Args:
        name (str): The name of the training.
        logs (Sequence[Path]): ``scalars.json`` files, oldest first. From its
            first step on, a later one counts in place of those before.

    Returns:
        list[Plot]: Loss, accumulation, and scores on validation images, each
        only if it was logged.
    """
    trained: list[dict[str, Any]] = []
    validated: list[dict[str, Any]] = []
    for path in logs:
        new = _read_lines(path)
        for lines, with_loss in ((trained, True), (validated, False)):
            added = [line for line in new if ('loss' in line) == with_loss]
            first = added[0]['step'] if added else math.inf
            lines[:] = [line for line in lines if line['step'] < first] + added
    by_epoch = any('epoch' in line for line in trained)
    unit, time = ('epoch', 'epoch') if by_epoch else ('iteration', 'step')
    scores = dict.fromkeys(
        key
        for line in validated
        for key in line
        if key.split('/')[-1] in _SCORES
    )
    # The hook's numbers stay in the log until the next epoch renews them.
    rates = _curves(trained, time, _RATES, scale=100)
    loss = _curves(trained, 'step', ['loss'])
    validation = _curves(validated, 'step', scores)
    label = f'{", ".join(scores)} (percent)'
    plots = (
        Plot(f'Loss of {name}', loss, 'iteration', 'loss'),
        Plot(f'Accept rate and coverage of {name}', rates, unit, 'percent'),
        Plot(f'Validation of {name}', validation, unit, label),
    )
    return [plot for plot in plots if plot.curves]


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """Lines of a log that have a step; the last may be cut off."""
    lines = []
    for text in path.read_text(encoding='utf-8').splitlines():
        with suppress(ValueError):
            lines.append(json.loads(text))
    return [line for line in lines if 'step' in line]


def _curves(
    lines: Sequence[Mapping[str, Any]],
    x: str,
    keys: Iterable[str],
    scale: float = 1,
) -> list[Curve]:
    """The last value of each key at each `x`, where a line has both."""
    curves = []
    for key in keys:
        points = {
            line[x]: scale * line[key]
            for line in lines
            if x in line and isinstance(line.get(key), (int, float))
        }
        if points:
            name = key.removeprefix('oaa_').replace('_', ' ')
            xs, ys = zip(*sorted(points.items()), strict=True)
            curves.append(Curve(name, xs, ys))
    return curves
