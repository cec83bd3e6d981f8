"""The table of scores at the end of a pipeline."""

import glob
import os
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from operator import sub, truediv
from statistics import fmean, stdev
from textwrap import fill
from typing import Any

from oaa_mm.checks import check_choice, check_number
from oaa_mm.evaluation import read_results
from oaa_mm.evaluation.summary import summary_cells
from oaa_mm.evaluation.tables import text_table
from oaa_mm.io import write_json

from .plan import Pipeline

#: The file in the folder of a pipeline that holds the scores of its table.
SCORES = 'scores.json'

_KEYS = ('name', 'file', 'column', 'entry', 'policy', 'seed')


def read_score(cell: Mapping[str, str | int]) -> float | None:
    """Read the score of one cell, for one seed.

    Args:
        cell (Mapping[str, str | int]): `name` of its row; `file`, a JSON file
            that ``tools/evaluate.py`` or ``tools/test.py`` writes, or a glob
            pattern whose newest match is taken; optionally `column`
            (``'mIoU'`` is the default), `entry`, the number of the store or
            folder in that file (0, the first, is the default), `policy`, the
            treatment of labels of 255 (the file's first policy is the
            default), and `seed`.

    Returns:
        float | None: The mIoU in [0, 1]; None where the file or the score is
        missing.

    Raises:
        ValueError: A key is unknown, or the file is damaged.
    """
    where = f'scores of {cell["name"]!r}'
    for key in cell:
        check_choice(f'{where}: a key', key, _KEYS)
    entry = cell.get('entry', 0)
    check_number(f'{where}: entry', entry, low=0, integer=True)
    newest = max(glob.glob(cell['file']), key=os.path.getmtime, default=None)
    results = read_results(newest) if newest else []
    if entry >= len(results):
        return None
    result = results[entry]
    policy = cell.get('policy', result.policy)
    return result.means.get(policy, {}).get('mIoU')


def summarise(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Read all scores, and compare those of the last column.

    Args:
        pipeline (Pipeline): Its cells, reference and main row.

    Returns:
        list[dict[str, Any]]: An entry for each row and column that has cells:
        ``name`` and ``column``; ``seeds`` and ``values``, shares in [0, 1] or
        None, in the same order, where None is the seed of what is the same
        for all; ``mean`` and ``std`` of the values. Entries of the last
        column have ``share`` of the reference and its ``share_error``,
        ``difference`` to the main row and its ``difference_error`` as well,
        means and standard errors over the seeds that both have, and ``tie``:
        whether the difference is below two of its standard errors. A number
        that does not exist is None; a spread needs two seeds.
    """
    rows: dict[tuple[str, str], dict[int | None, float | None]] = {}
    for cell in pipeline.scores:
        place = cell['name'], cell.get('column', 'mIoU')
        rows.setdefault(place, {})[cell.get('seed')] = read_score(cell)
    entries = []
    for (name, column), values in rows.items():
        mean, std = _mean_and_std(
            [v for v in values.values() if v is not None]
        )
        entry = {'name': name, 'column': column, 'seeds': [*values]}
        entry |= {'values': [*values.values()], 'mean': mean, 'std': std}
        if column == _columns(pipeline)[-1]:
            reference = rows.get((pipeline.reference, column), {})
            share, error = _paired(truediv, values, reference)
            entry |= {'share': share, 'share_error': error}
            main = rows.get((pipeline.main, column), {})
            others = {} if name == pipeline.main else main
            difference, error = _paired(sub, values, others)
            tie = error is not None and abs(difference) < 2 * error
            entry |= {'difference': difference, 'difference_error': error}
            entry['tie'] = tie
        entries.append(entry)
    return entries


def write_scores(pipeline: Pipeline) -> str:
    """Write the scores into the pipeline's folder, and show them.

    Args:
        pipeline (Pipeline): The pipeline.

    Returns:
        str: A table in percent; numbers that are missing are shown as ``-``.
        Empty for a pipeline without scores.
    """
    if not pipeline.scores:
        return ''
    content = {'reference': pipeline.reference, 'main': pipeline.main}
    content['columns'] = _columns(pipeline)
    content['scores'] = summarise(pipeline)
    write_json(pipeline.work_dir / SCORES, content)
    (name, *header), *rows = summary_cells(content)
    return text_table([name, *(fill(h, 13) for h in header)], rows)


def _columns(pipeline: Pipeline) -> list[str]:
    cells = pipeline.scores
    return list(dict.fromkeys(cell.get('column', 'mIoU') for cell in cells))


def _paired(
    function: Callable[[float, float], float],
    values: Mapping[int | None, float | None],
    others: Mapping[int | None, float | None],
) -> tuple[float | None, float | None]:
    """Mean and standard error of a function of two scores of one seed."""
    pairs = [(value, others.get(seed)) for seed, value in values.items()]
    results = [
        function(*pair) for pair in pairs if None not in pair and pair[1]
    ]
    mean, std = _mean_and_std(results)
    return mean, None if std is None else std / sqrt(len(results))


def _mean_and_std(
    values: Sequence[float],
) -> tuple[float | None, float | None]:
    mean = fmean(values) if values else None
    return mean, stdev(values) if len(values) > 1 else None
