"""The table of scores at the end of a pipeline."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence

from oaa_mm.checks import check_choice, check_number
from oaa_mm.evaluation import read_results
from oaa_mm.evaluation.tables import percent, text_table


def read_row(row: Mapping[str, str | int]) -> dict[str, float | None]:
    """Read the scores of one row.

    Args:
        row (Mapping[str, str | int]): `name`; `file`, a JSON file that
            ``tools/evaluate.py`` or ``tools/test.py`` writes, or a glob
            pattern whose newest match is taken; optionally `entry`, the
            number of the store or folder in that file (0, the first, is the
            default), and `policy`, what becomes of labels of 255 (the file's
            first policy is the default).

    Returns:
        dict[str, float | None]: ``mIoU`` and, of labels, ``ignored``, shares
        in [0, 1]; None where the file or the score is missing.

    Raises:
        ValueError: A key is unknown, or the file is damaged.
    """
    where = f'scores of {row["name"]!r}'
    for key in row:
        check_choice(
            f'{where}: a key', key, ('name', 'file', 'entry', 'policy')
        )
    entry = row.get('entry', 0)
    check_number(f'{where}: entry', entry, low=0, integer=True)
    newest = max(glob.glob(row['file']), key=os.path.getmtime, default=None)
    results = read_results(newest) if newest else []
    if entry >= len(results):
        return {'mIoU': None}
    result = results[entry]
    means = result.means.get(row.get('policy', result.policy), {})
    found = {'mIoU': means.get('mIoU')}
    if result.kind == 'labels':
        found['ignored'] = result.ignored
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
        [row['name'], *(percent(score.get(column)) for column in columns)]
        for row, score in zip(rows, scores, strict=True)
    ]
    return text_table(['percent', *columns], cells)
