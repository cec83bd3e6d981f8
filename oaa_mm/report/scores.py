"""Scores of maps, labels and networks, as a report shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from oaa_mm.evaluation import ScoreRecord, score_file

from .names import store_caption
from .sources import Sources
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
        _score(record, record.name)
        for path in sources.scores.values()
        for record in score_file.read_scores(path)
    ]
    tested = [
        _score(record, folder)
        for folder, path in sources.tests.items()
        for record in _read_test(path)
    ]
    maps = [score for score in compared if score.kind == 'maps']
    if maps:
        tested = [score for score in tested if score.kind != 'maps']
    kinds = ('maps', 'labels', 'network')
    return sorted([*compared, *tested], key=lambda s: kinds.index(s.kind))


def _read_test(path: Path) -> list[ScoreRecord]:
    try:
        return score_file.read_scores(path)
    except ValueError:  # the run was killed while it wrote the file
        return []


def _score(record: ScoreRecord, name: str) -> Score:
    means = record.means[record.policy]
    return Score(
        name=_name(record, name),
        kind=record.kind,
        miou=means['mIoU'],
        precision=means.get('precision'),
        recall=means.get('recall'),
        note='; '.join(_notes(record)),
        per_class=record.per_class,
        sweep=Curve('mIoU', *zip(*record.sweep, strict=True))
        if record.sweep
        else None,
        best_threshold=record.threshold,
    )


def _name(record: ScoreRecord, name: str) -> str:
    if record.kind == 'network':
        return f'network ({name})'
    if record.kind == 'labels':
        return 'pseudo-labels' if name in _PLAIN else f'pseudo-labels {name}'
    return store_caption(name) if record.name else f'maps of {name}'


def _notes(record: ScoreRecord) -> Iterator[str]:
    treated = _TREATMENTS[record.policy]
    means = record.means[record.policy]
    if record.kind == 'maps':
        yield f'at its best threshold {record.threshold:.2f}'
        yield f'coverage {record.coverage:.1f} %'
        if record.name:
            yield f'255 in the masks {treated}'
    elif record.kind == 'labels':
        yield f'255 in the labels ({record.ignored:.1f} % of pixels) {treated}'
        for policy, others in record.means.items():
            if policy != record.policy:
                miou = others['mIoU']
                shown = '-' if miou is None else f'{miou:.1f}'
                yield f'mIoU {shown} {_TREATMENTS[policy]}'
    else:
        for key in ('aAcc', 'mAcc'):
            if key in means:
                yield f'{key} {means[key]:.1f}'
