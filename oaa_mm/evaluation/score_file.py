"""The JSON files of scores.

``tools/evaluate.py`` writes shares in [0, 1], null where a score is undefined:

- attention: ``classes``, ``ignore`` and ``stores``, each with ``best`` (the
  means at the best threshold), ``per_class`` (at the same threshold) and
  ``sweep`` (the means at all thresholds);
- labels: ``classes`` and ``folders``, each with the means and ``per_class``
  for every treatment of 255.

``tools/test.py`` writes one flat object in percent, by mmengine's logger.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oaa_mm.io import write_json

from .results import Result, recalls_at_first_precision
from .scores import LABEL_POLICIES

#: A row of the table that mmseg's IoUMetric logs: class, IoU, accuracy.
_CLASS_ROW = re.compile(
    r'^\|\s*(.+?)\s*\|\s*([\d.]+|nan)\s*\|\s*([\d.]+|nan)\s*\|$', re.MULTILINE
)


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
            {**_store_entry(r), 'recall_at_first_precision': recall}
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
