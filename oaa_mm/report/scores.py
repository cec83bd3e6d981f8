"""Scores of maps, labels and networks, from the files of earlier tools."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .names import store_caption
from .sources import Sources, read_json
from .training import Curve

#: A row of the table that mmseg's IoUMetric logs: class, IoU, accuracy.
_CLASS_ROW = re.compile(
    r'^\|\s*(.+?)\s*\|\s*([\d.]+|nan)\s*\|\s*([\d.]+|nan)\s*\|$', re.MULTILINE
)


@dataclass(frozen=True)
class Score:
    """The scores of one store, folder of labels, or network, in percent.

    Attributes:
        name (str): What was scored.
        kind (str): ``'maps'``, ``'labels'`` or ``'network'``.
        miou (float | None): Its mIoU; None where it is undefined (0 / 0).
        precision (float | None): Mean of the foreground classes.
        recall (float | None): Likewise.
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
    """
    contents = [read_json(path) for path in sources.scores.values()]
    maps = [
        _map_score(store, content['ignore'])
        for content in contents
        for store in content.get('stores', ())
    ]
    labels = [
        _label_score(folder)
        for content in contents
        for folder in content.get('folders', ())
    ]
    tests = list(_test_scores(sources.tests))
    maps = maps or [score for score in tests if score.kind == 'maps']
    networks = [score for score in tests if score.kind == 'network']
    return [*maps, *labels, *networks]


def _percent(number: float | None) -> float | None:
    return None if number is None else 100 * number


def _text(share: float | None) -> str:
    return '-' if share is None else f'{100 * share:.1f}'


def _per_class(rows: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: _percent(row['iou']) for name, row in rows.items()}


def _map_score(store: Mapping[str, Any], ignore: str) -> Score:
    best, sweep = store['best'], store['sweep']
    treated = {'drop': 'dropped', 'background': 'taken as background'}
    return Score(
        name=store_caption(store['store']),
        kind='maps',
        miou=_percent(best['mIoU']),
        precision=_percent(best['precision']),
        recall=_percent(best['recall']),
        note=f'at its best threshold {best["threshold"]:.2f}; coverage '
        f'{100 * store["coverage"]:.1f} %; 255 in the masks '
        f'{treated[ignore]}',
        per_class=_per_class(store['per_class']),
        sweep=Curve(
            'mIoU',
            tuple(sweep['threshold']),
            tuple(
                math.nan if value is None else 100 * value
                for value in sweep['mIoU']
            ),
        ),
        best_threshold=best['threshold'],
    )


def _label_score(folder: Mapping[str, Any]) -> Score:
    drop = folder['drop']
    others = ', '.join(
        f'{_text(folder[policy]["mIoU"])} {text}'
        for policy, text in (
            ('background', 'as background'),
            ('error', 'as errors'),
        )
    )
    name = folder['labels']
    return Score(
        name='pseudo-labels' if name in _PLAIN else f'pseudo-labels {name}',
        kind='labels',
        miou=_percent(drop['mIoU']),
        precision=_percent(drop['precision']),
        recall=_percent(drop['recall']),
        note=f'255 in the labels ({100 * folder["ignored"]:.1f} % of pixels) '
        f'dropped; mIoU {others}',
        per_class=_per_class(drop['per_class']),
    )


#: Folders of labels whose name says no more than that.
_PLAIN = ('pseudo_labels', 'labels', 'out')


def _test_scores(tests: Mapping[str, Path]) -> Iterator[Score]:
    for name, path in tests.items():
        content = read_json(path)
        if 'mIoU' in content:
            yield Score(
                name=f'network ({name})',
                kind='network',
                miou=content['mIoU'],
                note='; '.join(
                    f'{key} {content[key]:.1f}'
                    for key in ('aAcc', 'mAcc')
                    if key in content
                ),
                per_class=_class_rows(path.with_suffix('.log')),
            )
        elif 'attention/mIoU' in content:
            part = {k.split('/')[-1]: v for k, v in content.items()}
            yield Score(
                name=f'maps of {name}',
                kind='maps',
                miou=part['mIoU'],
                precision=part.get('precision'),
                recall=part.get('recall'),
                note=f'at its best threshold {part["best_threshold"]:.2f}; '
                f'coverage {part["coverage"]:.1f} %',
            )


def _class_rows(log: Path) -> dict[str, float | None]:
    """IoU of each class; mmseg writes it nowhere but into its log."""
    if not log.is_file():
        return {}
    table = log.read_text(encoding='utf-8').rpartition('per class results')[2]
    rows: Sequence[tuple[str, str, str]] = _CLASS_ROW.findall(table)
    return {
        name: None if iou == 'nan' else float(iou) for name, iou, _ in rows
    }
