"""The table of scores at the end of a pipeline."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from prettytable import PrettyTable

_ROW_KEYS = ('name', 'file', 'unit')
#: What multiplies the numbers of a file to make them percent.
_UNITS = {'fraction': 100.0, 'percent': 1.0}


def read_scores(row: Mapping[str, str]) -> dict[str, float | None]:
    """Read the numbers of one row.

    Args:
        row (Mapping[str, str]): `name`, `file` (a JSON file, or a glob
            pattern whose newest match is taken), optionally `unit`
            (``'fraction'``, the default, or ``'percent'``) and, for each
            further column, the keys that lead to its number, separated by
            ``' > '``.

    Returns:
        dict[str, float | None]: Column -> percent, None where it is missing.

    Raises:
        ValueError: The unit is unknown, or the file is no JSON.
    """
    unit = row.get('unit', 'fraction')
    if unit not in _UNITS:
        raise ValueError(
            f'scores of {row["name"]!r}: unit should be one of '
            f'{tuple(_UNITS)}, but got {unit!r}'
        )
    matches = glob.glob(row['file'])
    content = None
    if matches:
        newest = max(matches, key=os.path.getmtime)
        try:
            content = json.loads(Path(newest).read_text(encoding='utf-8'))
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f'scores of {row["name"]!r}: {newest} is not valid JSON '
                f'({error})'
            ) from error
    scores = {}
    for column in [key for key in row if key not in _ROW_KEYS]:
        number = _follow(content, row[column].split(' > '))
        scores[column] = None if number is None else number * _UNITS[unit]
    return scores


def _follow(node: object, keys: Sequence[str]) -> float | None:
    for key in keys:
        if isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        elif isinstance(node, dict) and key in node:
            node = node[key]
        else:
            return None
    return float(node) if isinstance(node, (int, float)) else None


def score_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Format the scores of all rows.

    Args:
        rows (Sequence[Mapping[str, str]]): See :func:`read_scores`.

    Returns:
        str: A table in percent; numbers that are missing are shown as ``-``.
    """
    if not rows:
        return ''
    scores = [read_scores(row) for row in rows]
    columns = list(dict.fromkeys(c for score in scores for c in score))
    table = PrettyTable(['percent', *columns], align='r')
    table.align['percent'] = 'l'
    for row, score in zip(rows, scores, strict=True):
        values = [score.get(column) for column in columns]
        table.add_row(
            [row['name']]
            + ['-' if value is None else f'{value:.2f}' for value in values]
        )
    return str(table)
