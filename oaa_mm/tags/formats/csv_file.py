"""CSV: a column of labels (`image,labels`) or one column per class."""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path

from oaa_mm.io import atomic_write, read_text
from oaa_mm.tags.table import LabelTable, TableBuilder

_IMAGE_COLUMN = (
    'image', 'image_id', 'image_name', 'id', 'file_name', 'filename', 'name'
)  # fmt: skip
_LABEL_COLUMN = ('labels', 'label', 'tags', 'tag', 'class', 'category')
_BINARY = {'0': 0, '1': 1, '0.0': 0, '1.0': 1, 'false': 0, 'true': 1}


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Place and stripped cells of each row that is not blank."""
    reader = csv.reader(
        io.StringIO(read_text(path), newline=''),
        skipinitialspace=True,
        strict=True,
    )
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):  # spreadsheets end with rows of commas
                yield f', line {reader.line_num}', cells
    except csv.Error as error:
        raise ValueError(
            f'{path}, line {reader.line_num}: not valid CSV: {error}'
        ) from error


def _is_label_column(columns: Sequence[str]) -> bool:
    return len(columns) == 1 and columns[0].lower() in _LABEL_COLUMN


def _parse_labels(cell: str, table: TableBuilder, place: str) -> list[int]:
    """Indices of a cell such as `cat;dog`, `3 7` or `traffic light`."""
    if cell in table.numbers:
        return [table.numbers[cell]]
    pattern = r'[;|,]' if re.search(r'[;|,]', cell) else r'\s+'
    # Classes called 1, 2, ... are meant by their names alone.
    numbered = any(map(str.isdigit, table.numbers))
    indices = []
    for token in filter(None, map(str.strip, re.split(pattern, cell))):
        if token.isascii() and token.isdigit() and not numbered:
            indices.append(int(token))
        elif table.classes is None:
            raise ValueError(
                f'{table.source}{place}: {token!r} is a class name, whose '
                'index is not known; give `classes` (convert_labels.py: '
                '--classes)'
            )
        else:
            indices.append(table.class_index(token, place))
    return indices


def read_csv(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read a CSV table of labels; its first row is a header.

    Args:
        path (str | os.PathLike): Either `image,labels`, where labels are
            names or indices separated by `;`, `|`, `,` or blanks (names that
            hold a blank need another one), or `image,cat,dog,...` with 0 or
            1. Where names of classes are numbers, no number is an index.
        classes (Sequence[str], optional): Names of the classes. Defaults to
            the columns' names where there is one column per class; some of
            these select them.

    Returns:
        LabelTable: The labels.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A row is wrong, a class unknown or an image repeated.
    """
    path = Path(path)
    rows = _rows(path)
    place, header = next(rows, (', line 1', []))
    if len(header) < 2 or header[0].lower() not in _IMAGE_COLUMN:
        raise ValueError(
            f'{path}{place}: a header is needed, `image,labels` or '
            f'`image,<class>,<class>,...`, but got {",".join(header)!r}'
        )
    one_hot = not _is_label_column(header[1:])
    columns = None
    if one_hot:
        columns = TableBuilder(f'{path}{place}', header[1:]).classes
        place += ' (a column for each class, or one called labels)'
    table = TableBuilder(path, classes, columns)
    indices = [table.class_index(name, place) for name in columns or ()]
    for place, (name, *cells) in rows:
        if len(cells) != len(header) - 1:
            raise ValueError(
                f'{path}{place}: {len(cells) + 1} cells, but the header has '
                f'{len(header)} columns'
            )
        if one_hot:
            cells = [cell.lower() for cell in cells]
            wrong = [cell for cell in cells if cell not in _BINARY]
            if wrong:
                raise ValueError(
                    f'{path}{place}: the columns of classes should hold 0 or '
                    f'1, but got {wrong[0]!r}'
                )
            value = compress(indices, map(_BINARY.get, cells))
            value = [index for index in value if index is not None]
        else:
            value = _parse_labels(cells[0], table, place)
        table.add(name, value, place)
    return table.build()


def write_csv(table: LabelTable, path: str | os.PathLike) -> None:
    """Write one column per class where names are known, else indices.

    Args:
        table (LabelTable): The labels.
        path (str | os.PathLike): The file to write, atomically.

    Raises:
        ValueError: The only class is called like the column of labels.
    """
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
