"""CSV: a column of labels (`image,labels`) or one column per class."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from oaa_mm.io import atomic_write, read_text
from oaa_mm.tags.classes import normalize_classes
from oaa_mm.tags.table import LabelTable, TableBuilder

from ._common import class_lookup, require_plain_stems, unknown_class

_IMAGE_COLUMN = ('image', 'image_id', 'id', 'file_name', 'filename', 'name')
_LABEL_COLUMN = ('labels', 'label')
_BINARY = {'0': 0, '1': 1, '0.0': 0, '1.0': 1}


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Place and stripped cells of each row that is not blank."""
    reader = csv.reader(
        io.StringIO(read_text(path), newline=''),
        skipinitialspace=True,
        strict=True,
    )
    try:
        for row in reader:
            if row:
                cells = [cell.strip() for cell in row]
                yield f'{path}, line {reader.line_num}', cells
    except csv.Error as error:
        raise ValueError(
            f'{path}, line {reader.line_num}: not valid CSV: {error}'
        ) from error


def _is_label_column(columns: Sequence[str]) -> bool:
    return len(columns) == 1 and columns[0].lower() in _LABEL_COLUMN


def _parse_labels(
    cell: str, classes: Sequence[str] | None, where: str
) -> list[int]:
    """Indices of a cell such as `cat;dog`, `3 7` or `traffic light`."""
    lookup = class_lookup(classes or ())
    if cell in lookup:
        return [lookup[cell]]
    pattern = r'[;|]' if re.search(r'[;|]', cell) else r'\s+'
    indices = []
    for token in map(str.strip, re.split(pattern, cell)):
        if token in lookup:
            indices.append(lookup[token])
        elif token.isascii() and token.isdigit():
            indices.append(int(token))
        elif token and classes is None:
            raise ValueError(
                f'{where}: {token!r} is a class name, whose index is not '
                'known; give `classes` (convert_labels.py: --classes)'
            )
        elif token:
            raise unknown_class(token, classes, where)
    return indices


def _parse_one_hot(
    cells: Sequence[str], indices: Sequence[int], where: str
) -> list[int]:
    wrong = [cell for cell in cells if cell not in _BINARY]
    if wrong:
        raise ValueError(
            f'{where}: the columns of classes should hold 0 or 1, but got '
            f'{wrong[0]!r}'
        )
    return [
        index
        for cell, index in zip(cells, indices, strict=True)
        if _BINARY[cell]
    ]


def _match_columns(
    columns: Sequence[str], classes: Sequence[str] | None, where: str
) -> tuple[Sequence[str], list[int]]:
    """Class names and the class index of each column."""
    try:
        columns = normalize_classes(columns)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from error
    classes = columns if classes is None else classes
    lookup = class_lookup(classes)
    for column in columns:
        if column not in lookup:
            raise unknown_class(column, classes, where)
    return classes, [lookup[column] for column in columns]


def _read_header(rows: Iterator, path: Path) -> tuple[str, list[str]]:
    where, header = next(rows, (f'{path}, line 1', []))
    if len(header) < 2 or header[0].lower() not in _IMAGE_COLUMN:
        raise ValueError(
            f'{where}: a header is needed, `image,labels` or '
            f'`image,<class>,<class>,...`, but got {",".join(header)!r}'
        )
    return where, header[1:]


def read_csv(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read a CSV table of labels; its first row is a header.

    Args:
        path (str | os.PathLike): Either `image,labels`, where labels are
            names or indices separated by `;`, `|` or blanks (names that hold
            a blank need `;` or `|`), or `image,cat,dog,...` with 0 or 1.
        classes (Sequence[str], optional): Names of the classes. Defaults to
            the columns' names where there is one column per class.

    Returns:
        LabelTable: The labels.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A row is wrong, a class unknown or an image repeated.
    """
    path, classes = Path(path), normalize_classes(classes)
    rows = _rows(path)
    where, columns = _read_header(rows, path)
    one_hot = not _is_label_column(columns)
    if one_hot:
        classes, indices = _match_columns(columns, classes, where)
    table = TableBuilder(path, classes)
    for where, cells in rows:
        if len(cells) != len(columns) + 1:
            raise ValueError(
                f'{where}: {len(cells)} cells, but the header has '
                f'{len(columns) + 1} columns'
            )
        if one_hot:
            value = _parse_one_hot(cells[1:], indices, where)
        else:
            value = _parse_labels(cells[1], classes, where)
        table.add(cells[0], value, where.removeprefix(str(path)))
    return table.build()


def write_csv(table: LabelTable, path: str | os.PathLike) -> None:
    """Write one column per class where names are known, else indices.

    Args:
        table (LabelTable): The labels.
        path (str | os.PathLike): The file to write, atomically.

    Raises:
        ValueError: An image id ends in an image suffix, or the only class is
            called like the column of labels.
    """
    require_plain_stems(table, 'csv')
    classes = table.classes
    if classes is not None and _is_label_column(classes):
        raise ValueError(
            f'a single class called {classes[0]!r} cannot be written as csv: '
            'it would be read back as the column of labels'
        )
    with atomic_write(path, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['image', *(classes or ['labels'])])
        for image_id, indices in table.labels.items():
            if classes is None:
                cells = [' '.join(map(str, indices))]
            else:
                cells = [int(i in indices) for i in range(len(classes))]
            writer.writerow([image_id, *cells])
