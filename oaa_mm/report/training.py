"""Curves of trainings, from the logs that mmengine keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Validation scores that are worth a curve, in percent.
_SCORES = ('mIoU', 'mAP')


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
    """The curves of one training.

    Attributes:
        name (str): Its folder.
        loss (Curve | None): Over iterations.
        attention (tuple[Curve, ...]): Accept rate and coverage in percent;
            empty without OAAHook.
        validation (tuple[Curve, ...]): Scores in percent.
        unit (str): ``'epoch'`` or ``'iteration'``, of the latter two.
    """

    name: str
    loss: Curve | None
    attention: tuple[Curve, ...]
    validation: tuple[Curve, ...]
    unit: str


def read_training(name: str, logs: Sequence[Path]) -> Training:
    """Read the logs of a training and of what was resumed of it.

    Args:
        name (str): What to call it.
        logs (Sequence[Path]): ``scalars.json`` files, oldest first. From its
            first step on, a later one counts in place of those before.

    Returns:
        Training: Its curves.
    """
    trained: list[dict[str, Any]] = []
    validated: list[dict[str, Any]] = []
    for path in logs:
        lines = _read_lines(path)
        train = [line for line in lines if 'loss' in line]
        val = [line for line in lines if 'loss' not in line]
        trained = _continued(trained, train)
        validated = _continued(validated, val)
    epochs = {line['epoch']: line for line in trained if 'epoch' in line}
    # The hook's numbers stay in the log until the next epoch renews them.
    by_time = epochs or {line['step']: line for line in trained}
    return Training(
        name=name,
        loss=_curve('loss', {line['step']: line for line in trained}, 'loss'),
        attention=_present(
            _curve('accept rate', by_time, 'oaa_accept_rate', 100),
            _curve('coverage', by_time, 'oaa_coverage', 100),
        ),
        validation=_validation(validated),
        unit='epoch' if epochs else 'iteration',
    )


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """Lines of a log that have a step; the last may be cut off."""
    lines = []
    for text in path.read_text(encoding='utf-8').splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if 'step' in line:
            lines.append(line)
    return lines


def _continued(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    if not new:
        return old
    return [line for line in old if line['step'] < new[0]['step']] + new


def _validation(lines: Sequence[Mapping[str, Any]]) -> tuple[Curve, ...]:
    keys = dict.fromkeys(
        key for line in lines for key in line if key.split('/')[-1] in _SCORES
    )
    by_step = {line['step']: line for line in lines}
    return _present(*(_curve(k, by_step, k) for k in keys))


def _curve(
    name: str,
    lines: Mapping[int, Mapping[str, Any]],
    key: str,
    scale: float = 1,
) -> Curve | None:
    points = [
        (x, scale * line[key])
        for x, line in sorted(lines.items())
        if isinstance(line.get(key), (int, float))
    ]
    if not points:
        return None
    x, y = zip(*points, strict=True)
    return Curve(name, x, y)


def _present(*curves: Curve | None) -> tuple[Curve, ...]:
    return tuple(curve for curve in curves if curve is not None)
