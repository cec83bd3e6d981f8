"""Scores of maps, labels and networks, as a report shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oaa_mm.evaluation import Result, read_results

from .sources import Sources, store_caption
from .training import Curve

#: Names of folders that say no more than that they hold labels.
_PLAIN = ('pseudo_labels', 'labels', 'out')
_TREATMENTS = {
    'drop': 'dropped',
    'background': 'as background',
    'error': 'as errors',
}


@dataclass(frozen=True)
class Score:
    """The scores of one store, folder of labels, or network, in percent.

    Attributes:
        name (str): What was scored.
        kind (str): ``'maps'``, ``'labels'`` or ``'network'``.
        miou (float | None): Its mIoU; None where it is undefined (0 / 0).
        precision (float | None): Mean precision of the foreground classes.
        recall (float | None): Mean recall of the foreground classes.
        note (str): Conditions: the threshold, or what 255 counts as.
        per_class (dict[str, float | None]): IoU of each class.
        sweep (Curve | None): mIoU over thresholds.
        best_threshold (float | None): Where mIoU is highest.
    """

    name: str
    kind: str
    miou: float | None
    precision: float | None = None
    recall: float | None = None
    note: str = ''
    per_class: dict[str, float | None] = field(default_factory=dict)
    sweep: Curve | None = None
    best_threshold: float | None = None


def read_scores(sources: Sources) -> list[Score]:
    """Read all scores: maps first, then labels, then networks.

    Args:
        sources (Sources): Files of ``tools/evaluate.py`` and
            ``tools/test.py``. What the latter says of a store counts only
            where no file of the former scores maps.

    Returns:
        list[Score]: In the order of the method's stages.

    Raises:
        ValueError: A file is damaged; it is named.
    """
    compared = [
        _score(result, result.name)
        for path in sources.scores
        for result in read_results(path)
    ]
    tested = [
        _score(result, folder)
        for folder, path in sources.tests.items()
        for result in _read_test(path)
    ]
    if any(score.kind == 'maps' for score in compared):
        tested = [score for score in tested if score.kind != 'maps']
    kinds = ('maps', 'labels', 'network')
    return sorted([*compared, *tested], key=lambda s: kinds.index(s.kind))


def _read_test(path: Path) -> list[Result]:
    try:
        return read_results(path)
    except ValueError:  # the run was killed while it wrote the file
        return []


def _score(result: Result, name: str) -> Score:
    name, sweep = _name(result, name), None
    if result.sweep:
        mious = [_percent(share) for share in result.sweep['mIoU']]
        gaps = (math.nan if miou is None else miou for miou in mious)
        sweep = Curve(name, tuple(result.sweep['threshold']), tuple(gaps))
    return Score(
        name=name,
        kind=result.kind,
        miou=_percent(result.best['mIoU']),
        precision=_percent(result.best.get('precision')),
        recall=_percent(result.best.get('recall')),
        note='; '.join(_notes(result)),
        per_class={n: _percent(v) for n, v in result.class_ious.items()},
        sweep=sweep,
        best_threshold=result.threshold,
    )


def _percent(share: float | None) -> float | None:
    # Percent that a file held as percent come back as they were.
    return None if share is None else round(100 * share, 6)


def _name(result: Result, name: str) -> str:
    if result.kind == 'network':
        return f'network ({name})'
    if result.kind == 'labels':
        return 'pseudo-labels' if name in _PLAIN else f'pseudo-labels {name}'
    return store_caption(name) if result.name else f'maps of {name}'


def _notes(result: Result) -> Iterator[str]:
    treated = _TREATMENTS[result.policy]
    if result.kind == 'maps':
        yield f'at its best threshold {result.threshold:.2f}'
        yield f'coverage {100 * result.coverage:.1f} %'
        if result.name:
            yield f'255 in the masks {treated}'
    elif result.kind == 'labels':
        share = f'{100 * result.ignored:.1f} % of pixels'
        yield f'255 in the labels ({share}) {treated}'
        for policy, means in result.means.items():
            if policy != result.policy:
                miou = means['mIoU']
                shown = '-' if miou is None else f'{100 * miou:.1f}'
                yield f'mIoU {shown} {_TREATMENTS[policy]}'
    else:
        for key in ('aAcc', 'mAcc'):
            if key in result.best:
                yield f'{key} {100 * result.best[key]:.1f}'
