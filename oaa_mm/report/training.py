"""Curves of trainings, from the logs that mmengine keeps."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Validation scores that are worth a curve, in percent.
_SCORES = ('mIoU', 'mAP')
#: Shares that OAAHook logs -> the name of the curve, and its scale.
_ATTENTION = {
    'oaa_accept_rate': ('accept rate', 100.0),
    'oaa_coverage': ('coverage', 100.0),
}


@dataclass(frozen=True)
class Curve:
    """One line of a plot.

    Attributes:
        name (str): What it shows.
        x (tuple[float, ...]): Epochs or iterations.
        y (tuple[float, ...]): As long as `x`.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Training:
    """The curves of one training; each tuple is empty where none was logged.

    Attributes:
        name (str): Its folder.
        loss (tuple[Curve, ...]): The loss over iterations.
        attention (tuple[Curve, ...]): Accept rate and coverage in percent,
            which OAAHook logs.
        validation (tuple[Curve, ...]): Scores in percent.
        unit (str): ``'epoch'`` or ``'iteration'``, of the latter two.
    """

    name: str
    loss: tuple[Curve, ...]
    attention: tuple[Curve, ...]
    validation: tuple[Curve, ...]
    unit: str


def read_training(name: str, logs: Sequence[Path]) -> Training:
    """Read the logs of a training and of its resumed runs.

    Args:
        name (str): The name of the training.
        logs (Sequence[Path]): ``scalars.json`` files, oldest first. From its
            first step on, a later one counts in place of those before.

    Returns:
        Training: Its curves.
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
    scores = {
        key: (key, 1.0)
        for line in validated
        for key in line
        if key.split('/')[-1] in _SCORES
    }
    return Training(
        name=name,
        loss=_curves(trained, 'step', {'loss': ('loss', 1.0)}),
        # The hook's numbers stay in the log until the next epoch renews them.
        attention=_curves(
            trained, 'epoch' if by_epoch else 'step', _ATTENTION
        ),
        validation=_curves(validated, 'step', scores),
        unit='epoch' if by_epoch else 'iteration',
    )


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """Lines of a log that have a step; the last may be cut off."""
    lines = []
    for text in path.read_text(encoding='utf-8').splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return [line for line in lines if 'step' in line]


def _curves(
    lines: Sequence[Mapping[str, Any]],
    x: str,
    wanted: Mapping[str, tuple[str, float]],
) -> tuple[Curve, ...]:
    """The last value of each key at each `x`, where a line has both."""
    curves = []
    for key, (name, scale) in wanted.items():
        points = {
            line[x]: scale * line[key]
            for line in lines
            if x in line and isinstance(line.get(key), (int, float))
        }
        if points:
            xs, ys = zip(*sorted(points.items()), strict=True)
            curves.append(Curve(name, xs, ys))
    return tuple(curves)
