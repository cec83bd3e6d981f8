"""What was scored: the one form of it, in memory and in JSON files.

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

from .scores import LABEL_POLICIES, Scores, recall_at_precision

#: A row of the table that mmseg's IoUMetric logs: class, IoU, accuracy.
_CLASS_ROW = re.compile(
    r'^\|\s*(.+?)\s*\|\s*([\d.]+|nan)\s*\|\s*([\d.]+|nan)\s*\|$', re.MULTILINE
)


@dataclass(frozen=True)
class Result:
    """The scores of one attention store, folder of labels or network.

    Scores are shares in [0, 1]; None stands for 0 / 0. A result is equal to
    the one that is read from the file that it was written to.

    Attributes:
        kind (str): ``'maps'``, ``'labels'`` or ``'network'``.
        name (str): The store or folder; empty for a file of
            ``tools/test.py``.
        means (Mapping[str, Mapping[str, float | None]]): What becomes of 255
            (``'drop'``, ``'background'``, ``'error'``), the main policy first
            -> name of a mean, such as ``mIoU`` -> share; of maps at their
            best threshold.
        per_class (Mapping[str, Mapping]): Policy -> class name -> ``iou``,
            ``precision`` and ``recall``.
        threshold (float | None): Where the mIoU of maps is highest.
        sweep (Mapping[str, Sequence[float | None]]): ``threshold`` and the
            means of maps at all thresholds; may be empty.
        coverage (float | None): Mean of all maps.
        missing_images (Sequence[str]): Images without any map, which count as
            all background.
        missing_pairs (int): (Image, class) pairs of the masks whose class has
            no map, among the other images.
        ignored (float | None): The share of pixels that are labelled 255.
        num_images (int): Images that were compared.
        num_pixels (int): Pixels that were compared.
    """

    kind: str
    name: str
    means: Mapping[str, Mapping[str, float | None]]
    per_class: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    threshold: float | None = None
    sweep: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    coverage: float | None = None
    missing_images: Sequence[str] = ()
    missing_pairs: int = 0
    ignored: float | None = None
    num_images: int = 0
    num_pixels: int = 0

    @classmethod
    def of_scores(
        cls,
        name: str,
        scores: Mapping[str, Scores],
        class_names: Sequence[str],
        **facts: Any,
    ) -> Result:
        """The result that scores make.

        Args:
            name (str): How tables call it.
            scores (Mapping[str, Scores]): Policy for 255 -> scores.
            class_names (Sequence[str]): Names of the C foreground classes.
            **facts: Further fields.

        Returns:
            Result: Of maps where the scores have several thresholds, else of
            labels.
        """
        main = next(iter(scores.values()))
        swept = len(main.thresholds) > 1
        rows = {p: s.per_class(class_names) for p, s in scores.items()}
        return cls(
            kind='maps' if swept else 'labels',
            name=name,
            means=_plain({p: s.best() for p, s in scores.items()}),
            per_class=_plain(rows),
            threshold=main.best_threshold if swept else None,
            sweep=_plain(main.sweep()) if swept else {},
            **facts,
        )

    @property
    def policy(self) -> str:
        """The main policy for 255."""
        return next(iter(self.means))

    @property
    def best(self) -> Mapping[str, float | None]:
        """The means under the main policy."""
        return self.means[self.policy]

    @property
    def class_ious(self) -> dict[str, float | None]:
        """The IoU of each class under the main policy."""
        rows = self.per_class[self.policy].items()
        return {name: row['iou'] for name, row in rows}


def recalls_at_first_precision(results: Sequence[Result]) -> list[float]:
    """Recall of each store where it is as precise as the first one.

    The precision is the first store's mean precision at its best threshold.

    Args:
        results (Sequence[Result]): The stores, the reference first.

    Returns:
        list[float]: Mean recall of each store; NaN for a store that does not
        reach the precision at any threshold.
    """
    curves = [
        np.array([r.sweep['precision'], r.sweep['recall']], float)
        for r in results
    ]
    # None becomes NaN here, which no precision reaches.
    target = np.array(results[0].best['precision'], float)
    return [recall_at_precision(*curve, target) for curve in curves]


def write_results(path: str | os.PathLike, results: Sequence[Result]) -> None:
    """Write a comparison as JSON.

    Args:
        path (str | os.PathLike): The file to write.
        results (Sequence[Result]): All stores, the reference first, or all
            folders of labels.
    """
    _, *classes = results[0].class_ious
    content: dict[str, Any] = {'classes': classes}
    if results[0].kind == 'maps':
        recalls = recalls_at_first_precision(results)
        content['ignore'] = results[0].policy
        content['stores'] = [
            {**_store_entry(r), 'recall_at_first_precision': _plain(recall)}
            for r, recall in zip(results, recalls, strict=True)
        ]
    else:
        content['folders'] = [_folder_entry(result) for result in results]
    write_json(path, content)


#: Fields that have the same name in the file.
_STORE_FACTS = (
    'coverage', 'num_images', 'num_pixels', 'missing_images', 'missing_pairs',
)  # fmt: skip
_FOLDER_FACTS = ('num_images', 'num_pixels', 'ignored')


def _store_entry(result: Result) -> dict[str, Any]:
    return {
        'store': result.name,
        **{name: getattr(result, name) for name in _STORE_FACTS},
        'best': {'threshold': result.threshold, **result.best},
        'per_class': result.per_class[result.policy],
        'sweep': result.sweep,
    }


def _folder_entry(result: Result) -> dict[str, Any]:
    return {
        'labels': result.name,
        **{name: getattr(result, name) for name in _FOLDER_FACTS},
        **{
            policy: {**means, 'per_class': result.per_class[policy]}
            for policy, means in result.means.items()
        },
    }


def read_results(path: str | os.PathLike) -> list[Result]:
    """Read the scores that ``tools/evaluate.py`` or ``tools/test.py`` wrote.

    Args:
        path (str | os.PathLike): The JSON file. The IoU of each class of a
            network is read from the log beside it.

    Returns:
        list[Result]: In the file's order; empty where it holds other results
        than scores of maps, labels or networks.

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


def _read_store(store: dict[str, Any], content: dict[str, Any]) -> Result:
    policy, best = content['ignore'], dict(store['best'])
    return Result(
        kind='maps',
        name=store['store'],
        threshold=best.pop('threshold'),
        means={policy: best},
        per_class={policy: store['per_class']},
        sweep=store['sweep'],
        **{name: store[name] for name in _STORE_FACTS if name in store},
    )


def _read_folder(folder: dict[str, Any]) -> Result:
    policies = {p: dict(folder[p]) for p in LABEL_POLICIES if p in folder}
    return Result(
        kind='labels',
        name=folder['labels'],
        per_class={p: means.pop('per_class') for p, means in policies.items()},
        means=policies,
        **{name: folder[name] for name in _FOLDER_FACTS if name in folder},
    )


def _read_test(content: dict[str, Any], log: Path) -> list[Result]:
    """Scores in percent; with maps, `attention/` stands before the names."""
    means = {
        key.split('/')[-1]: value / 100
        for key, value in content.items()
        if isinstance(value, (int, float))
    }
    if 'mIoU' not in means:
        return []
    maps = 'attention/mIoU' in content
    test = Result(
        kind='maps' if maps else 'network',
        name='',
        means={'drop': means},
        per_class={'drop': {} if maps else _logged_classes(log)},
        threshold=content.get('attention/best_threshold'),
        coverage=means.get('coverage'),
    )
    return [test]


def _logged_classes(log: Path) -> dict[str, dict[str, float | None]]:
    """IoU of each class; mmseg writes it nowhere but into its log."""
    if not log.is_file():
        return {}
    table = log.read_text(encoding='utf-8').rpartition('per class results')[2]
    return {
        name: {'iou': None if iou == 'nan' else float(iou) / 100}
        for name, iou, _ in _CLASS_ROW.findall(table)
    }


def _plain(value: Any) -> Any:
    """A value in JSON's types; None, JSON's null, stands for NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):  # numpy's float64 is one
        return None if math.isnan(value) else float(value)
    return value
