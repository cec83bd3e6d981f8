"""The table of scores at the end of a pipeline."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence

from oaa_mm.checks import check_number
from oaa_mm.evaluation import read_scores
from oaa_mm.evaluation.tables import text_table


def read_row(row: Mapping[str, str | int]) -> dict[str, float | None]:
    """Read the scores of one row.

    Args:
        row (Mapping[str, str | int]): `name`; `file`, a JSON file that
            ``tools/evaluate.py`` or ``tools/test.py`` writes, or a glob
            pattern whose newest match is taken; optionally `entry`, the
            number of the store or folder in that file (0, the first, is the
            default), and `policy`, what becomes of labels of 255
            (the file's first policy is the default).

    Returns:
        dict[str, float | None]: ``mIoU`` and, of labels, ``ignored``, in
        percent; None where the file or the score is missing.

    Raises:
        ValueError: A key is unknown, or the file is damaged.
    """
    unknown = sorted(set(row) - {'name', 'file', 'entry', 'policy'})
    if unknown:
        raise ValueError(
            f'scores of {row["name"]!r}: a row has the keys name, file, entry '
            f'and policy, but got {", ".join(unknown)}'
        )
    newest = max(glob.glob(row['file']), key=os.path.getmtime, default=None)
    records = read_scores(newest) if newest else []
    entry = row.get('entry', 0)
    check_number(
        f'scores of {row["name"]!r}: entry', entry, low=0, integer=True
    )
    if entry >= len(records):
        return {'mIoU': None}
    record = records[entry]
    scores = record.means.get(row.get('policy', record.policy), {})
    found = {'mIoU': scores.get('mIoU')}
    if record.ignored is not None:
        found['ignored'] = record.ignored
    return found


def score_table(rows: Sequence[Mapping[str, str | int]]) -> str:
    """Format the scores of all rows.

    Args:
        rows (Sequence[Mapping[str, str | int]]): See :func:`read_row`.

    Returns:
        str: A table in percent; numbers that are missing are shown as ``-``.
    """
    if not rows:
        return ''
    scores = [read_row(row) for row in rows]
    columns = list(dict.fromkeys(c for score in scores for c in score))
    cells = [
        [row['name'], *(_cell(score.get(column)) for column in columns)]
        for row, score in zip(rows, scores, strict=True)
    ]
    return text_table(['percent', *columns], cells)


def _cell(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f}'
