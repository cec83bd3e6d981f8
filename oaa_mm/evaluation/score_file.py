"""The JSON files of scores: how they are written, and how they are read.

``tools/evaluate.py`` writes shares in [0, 1], null where a score is undefined:

- attention: ``classes``, ``ignore`` and ``stores``, each with ``best`` (the
  means at the best threshold), ``per_class`` (at the same threshold) and
  ``sweep`` (the means at all thresholds);
- labels: ``classes`` and ``folders``, each with the means and ``per_class``
  for every treatment of 255.

``tools/test.py`` writes one flat object in percent, by mmengine's logger.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oaa_mm.io import write_json

from .compare import LabelResult, StoreResult, recalls_at_first_precision
from .scores import LABEL_POLICIES, Scores

#: A row of the table that mmseg's IoUMetric logs: class, IoU, accuracy.
_CLASS_ROW = re.compile(
    r'^\|\s*(.+?)\s*\|\s*([\d.]+|nan)\s*\|\s*([\d.]+|nan)\s*\|$', re.MULTILINE
)


def write_scores(
    path: str | os.PathLike,
    results: Sequence[StoreResult] | Sequence[LabelResult],
    class_names: Sequence[str],
) -> None:
    """Write all scores of a comparison as JSON.

    Args:
        path (str | os.PathLike): The file to write.
        results (Sequence[StoreResult] | Sequence[LabelResult]): All stores,
            the reference first, or all folders of labels.
        class_names (Sequence[str]): Names of the C foreground classes.
    """
    content: dict[str, object] = {'classes': list(class_names)}
    if isinstance(results[0], StoreResult):
        content['ignore'] = results[0].ignore
        content['stores'] = _store_entries(results, class_names)
    else:
        content['folders'] = [
            {
                'labels': result.name,
                'num_images': result.num_images,
                'num_pixels': result.num_pixels,
                'ignored': result.ignored,
                **{
                    policy: {
                        **_numbers(scores.best()),
                        'per_class': _per_class(scores, class_names),
                    }
                    for policy, scores in result.scores.items()
                },
            }
            for result in results
        ]
    write_json(path, content)


def _store_entries(
    results: Sequence[StoreResult], class_names: Sequence[str]
) -> list[dict[str, object]]:
    recalls = recalls_at_first_precision(results)
    entries = []
    for result, recall in zip(results, recalls, strict=True):
        scores = result.scores
        sweep = {'threshold': scores.thresholds, **scores.means()}
        best = {'threshold': scores.best_threshold, **scores.best()}
        entries.append(
            {
                'store': result.name,
                'coverage': result.coverage,
                'num_images': result.num_images,
                'num_pixels': result.num_pixels,
                'missing_images': list(result.missing_images),
                'missing_pairs': result.missing_pairs,
                'best': _numbers(best),
                'per_class': _per_class(scores, class_names),
                'sweep': {n: _column(v) for n, v in sweep.items()},
                'recall_at_first_precision': _column([recall])[0],
            }
        )
    return entries


def _per_class(scores: Scores, class_names: Sequence[str]) -> dict[str, dict]:
    level = scores.best_level
    columns = {
        'iou': scores.iou[:, level],
        'precision': scores.precision[:, level],
        'recall': scores.recall[:, level],
    }
    return {
        name: _numbers({key: column[row] for key, column in columns.items()})
        for row, name in enumerate(['background', *class_names])
    }


def _numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    return dict(zip(values, _column(values.values()), strict=True))


def _column(values: Iterable[float]) -> list[float | None]:
    """Plain floats; None, JSON's null, for NaN."""
    return [None if math.isnan(value) else float(value) for value in values]


@dataclass(frozen=True)
class ScoreRecord:
    """The scores of one store, folder of labels or network, in percent.

    A score is None where it is undefined (0 / 0) or not in the file.

    Attributes:
        kind (str): ``'maps'``, ``'labels'`` or ``'network'``.
        name (str): The store or folder; empty for a file of
            ``tools/test.py``.
        means (dict[str, dict[str, float | None]]): What becomes of 255
            (``'drop'``, ``'background'``, ``'error'``), the main policy first
            -> name of a mean, such as ``mIoU``, -> percent.
        per_class (dict[str, float | None]): IoU of each class under the main
            policy.
        threshold (float | None): Where the mIoU of maps is highest, in
            [0, 1].
        coverage (float | None): Mean of all maps.
        ignored (float | None): The share of pixels that are labelled 255.
        sweep (tuple[tuple[float, float], ...]): Pairs of a threshold in
            [0, 1] and mIoU, which may be NaN; empty where there is none.
    """

    kind: str
    name: str
    means: dict[str, dict[str, float | None]]
    per_class: dict[str, float | None] = field(default_factory=dict)
    threshold: float | None = None
    coverage: float | None = None
    ignored: float | None = None
    sweep: tuple[tuple[float, float], ...] = ()

    @property
    def policy(self) -> str:
        """The main policy for 255."""
        return next(iter(self.means))


def read_scores(path: str | os.PathLike) -> list[ScoreRecord]:
    """Read the scores that ``tools/evaluate.py`` or ``tools/test.py`` wrote.

    Args:
        path (str | os.PathLike): The JSON file. The IoU of each class of a
            network is read from the log beside it.

    Returns:
        list[ScoreRecord]: In the file's order; empty where it holds other
        results than scores of maps, labels or networks.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no JSON, or its scores are damaged.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        if not isinstance(content, dict):
            return []
        return [
            *(_read_store(s, content) for s in content.get('stores', ())),
            *map(_read_folder, content.get('folders', ())),
            *_read_test(content, path.with_suffix('.log')),
        ]
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path} is not valid JSON ({error})') from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path} is no file of scores as tools/evaluate.py and '
            f'tools/test.py write it ({error!r}); write it again'
        ) from error


def _read_store(
    store: Mapping[str, Any], content: Mapping[str, Any]
) -> ScoreRecord:
    best, sweep = dict(store['best']), store['sweep']
    threshold = best.pop('threshold')
    mious = [math.nan if v is None else 100 * v for v in sweep['mIoU']]
    return ScoreRecord(
        kind='maps',
        name=store['store'],
        means={content['ignore']: _percents(best)},
        per_class=_class_ious(store),
        threshold=threshold,
        coverage=100 * store['coverage'],
        sweep=tuple(zip(sweep['threshold'], mious, strict=True)),
    )


def _read_folder(folder: Mapping[str, Any]) -> ScoreRecord:
    policies = [policy for policy in LABEL_POLICIES if policy in folder]
    return ScoreRecord(
        kind='labels',
        name=folder['labels'],
        means={policy: _percents(folder[policy]) for policy in policies},
        per_class=_class_ious(folder[policies[0]]),
        ignored=100 * folder['ignored'],
    )


def _percents(shares: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        name: None if share is None else 100 * share
        for name, share in shares.items()
        if name != 'per_class'
    }


def _class_ious(entry: Mapping[str, Any]) -> dict[str, float | None]:
    rows = {name: row['iou'] for name, row in entry['per_class'].items()}
    return _percents(rows)


def _read_test(content: Mapping[str, Any], log: Path) -> list[ScoreRecord]:
    """Scores in percent; with maps, `attention/` stands before the names."""
    if 'mIoU' in content:
        return [
            ScoreRecord('network', '', {'drop': dict(content)}, _logged(log))
        ]
    if 'attention/mIoU' not in content:
        return []
    means = {key.split('/')[-1]: value for key, value in content.items()}
    return [
        ScoreRecord(
            'maps',
            '',
            {'drop': means},
            threshold=means.pop('best_threshold'),
            coverage=means.pop('coverage'),
        )
    ]


def _logged(log: Path) -> dict[str, float | None]:
    """IoU of each class; mmseg writes it nowhere but into its log."""
    if not log.is_file():
        return {}
    table = log.read_text(encoding='utf-8').rpartition('per class results')[2]
    return {
        name: None if iou == 'nan' else float(iou)
        for name, iou, _ in _CLASS_ROW.findall(table)
    }
