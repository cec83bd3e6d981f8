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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

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
    content = {'classes': list(class_names)}
    if isinstance(results[0], StoreResult):
        content['ignore'] = results[0].ignore
        content['stores'] = [
            {
                **_store(result, class_names),
                'recall_at_first_precision': recall,
            }
            for result, recall in zip(
                results, recalls_at_first_precision(results), strict=True
            )
        ]
    else:
        content['folders'] = [_folder(r, class_names) for r in results]
    write_json(path, _plain(content))


def _store(result: StoreResult, class_names: Sequence[str]) -> dict[str, Any]:
    scores = result.scores
    return {
        'store': result.name,
        'coverage': result.coverage,
        'num_images': result.num_images,
        'num_pixels': result.num_pixels,
        'missing_images': result.missing_images,
        'missing_pairs': result.missing_pairs,
        'best': {'threshold': scores.best_threshold, **scores.best()},
        'per_class': _per_class(scores, class_names),
        'sweep': {'threshold': scores.thresholds, **scores.means()},
    }


def _folder(result: LabelResult, class_names: Sequence[str]) -> dict[str, Any]:
    policies = {
        policy: {**s.best(), 'per_class': _per_class(s, class_names)}
        for policy, s in result.scores.items()
    }
    return {
        'labels': result.name,
        'num_images': result.num_images,
        'num_pixels': result.num_pixels,
        'ignored': result.ignored,
        **policies,
    }


def _per_class(scores: Scores, class_names: Sequence[str]) -> dict[str, dict]:
    columns = scores.per_class()
    rows = zip(*columns.values(), strict=True)
    keys = [name.lower() for name in columns]
    return {
        name: dict(zip(keys, row, strict=True))
        for name, row in zip(['background', *class_names], rows, strict=True)
    }


def _plain(value: Any) -> Any:
    """A value in JSON's types: null stands for NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):  # numpy's float64 is one
        return None if math.isnan(value) else float(value)
    return value


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
    sweep = store['sweep']
    mious = [math.nan if v is None else 100 * v for v in sweep['mIoU']]
    return ScoreRecord(
        kind='maps',
        name=store['store'],
        means={content['ignore']: _percents(store['best'])},
        per_class=_class_ious(store),
        threshold=store['best']['threshold'],
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
        if name not in ('per_class', 'threshold')
    }


def _class_ious(entry: Mapping[str, Any]) -> dict[str, float | None]:
    rows = {name: row['iou'] for name, row in entry['per_class'].items()}
    return _percents(rows)


def _read_test(content: Mapping[str, Any], log: Path) -> list[ScoreRecord]:
    """Scores in percent; with maps, `attention/` stands before the names."""
    means = {key.split('/')[-1]: value for key, value in content.items()}
    if 'mIoU' in content:
        return [ScoreRecord('network', '', {'drop': means}, _logged(log))]
    if 'attention/mIoU' not in content:
        return []
    threshold, coverage = means['best_threshold'], means['coverage']
    record = ScoreRecord('maps', '', {'drop': means}, {}, threshold, coverage)
    return [record]


def _logged(log: Path) -> dict[str, float | None]:
    """IoU of each class; mmseg writes it nowhere but into its log."""
    if not log.is_file():
        return {}
    table = log.read_text(encoding='utf-8').rpartition('per class results')[2]
    return {
        name: None if iou == 'nan' else float(iou)
        for name, iou, _ in _CLASS_ROW.findall(table)
    }
