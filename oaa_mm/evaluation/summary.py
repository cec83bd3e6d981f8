"""The table of scores at the end of a pipeline, from its ``scores.json``."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .tables import percent


def read_summary(path: str | os.PathLike) -> list[list[str]]:
    """Read the table that a pipeline has printed at its end.

    Args:
        path (str | os.PathLike): ``scores.json``.

    Returns:
        list[list[str]]: Its cells, see :func:`summary_cells`.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        return summary_cells(json.loads(Path(path).read_text('utf-8')))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f'{path} is no table of scores as tools/run_pipeline.py writes it '
            f'({error!r}); run the pipeline again, or delete the file'
        ) from error


def summary_cells(content: Mapping[str, Any]) -> list[list[str]]:
    """The cells of the table at the end of a pipeline, row by row.

    Args:
        content (Mapping[str, Any]): What a pipeline writes to
            ``scores.json``, see :func:`oaa_mm.pipeline.table.summarise`.

    Returns:
        list[list[str]]: The header, then a row for each source, whose name
        comes first; percent, with ``±`` where there are several seeds.

    Raises:
        KeyError: An entry lacks a number.
    """
    of, against = f'of {content["reference"]}', f'against {content["main"]}'
    rows: dict[str, dict[str, str]] = {}
    for entry in content['scores']:
        row = rows.setdefault(entry['name'], {})
        row[entry['column']] = _number(entry, 'mean', 'std')
        if entry['column'] == content['columns'][-1]:
            row[of] = _number(entry, 'share', 'share_error')
            row[against] = _number(entry, 'difference', 'difference_error')
            row[against] += ', tie' if entry['tie'] else ''
    shown = {h for row in rows.values() for h in row if row[h] != '-'}
    columns = [*content['columns'], *(h for h in (of, against) if h in shown)]
    return [
        ['mIoU, percent', *columns],
        *([n, *(row.get(h, '-') for h in columns)] for n, row in rows.items()),
    ]


def _number(entry: Mapping[str, Any], key: str, spread: str) -> str:
    text, error = percent(entry[key]), entry[spread]
    return text if error is None else f'{text} ± {percent(error)}'
