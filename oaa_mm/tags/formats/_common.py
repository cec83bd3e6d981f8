"""What the readers and writers of several forms share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oaa_mm.io import image_id_of
from oaa_mm.tags.table import LabelTable


def list_folder(path: str | Path, suffix: str) -> dict[str, Path]:
    """Image id -> file, of the files in `path` and below that end so."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'label folder {path} does not exist')
    if not path.is_dir():
        raise ValueError(
            f'{path} is a file, but a folder of {suffix} files is needed'
        )
    files = {
        file.relative_to(path).as_posix()[: -len(suffix)]: file
        for file in sorted(path.rglob('*'))
        # Names with a leading dot are by-products (macOS: `._a.png`).
        if file.suffix.lower() == suffix and not file.name.startswith('.')
    }
    if not files:
        raise ValueError(f'folder {path} holds no {suffix} file')
    return files


def class_lookup(classes: Sequence[str]) -> dict[str, int]:
    """Class name -> class index."""
    return {name: index for index, name in enumerate(classes)}


def unknown_class(name: str, classes: Sequence[str], where: str) -> ValueError:
    """The error for a class name that is not one of `classes`."""
    return ValueError(
        f'{where}: unknown class {name!r}; allowed are {", ".join(classes)}'
    )


def require_classes(table: LabelTable, form: str) -> tuple[str, ...]:
    """Class names of `table`, or what to do where it has none."""
    if table.classes is None:
        raise ValueError(
            f'labels without class names cannot be written as {form}, which '
            'needs to know all classes; read them with `classes` '
            '(convert_labels.py: --classes voc, coco or a file of names)'
        )
    return table.classes


def require_plain_stems(table: LabelTable, form: str) -> None:
    """Refuse ids such as `a.jpg`, which would be read back as `a`."""
    for image_id in table.labels:
        if image_id_of(image_id) != image_id:
            raise ValueError(
                f'image id {image_id!r} ends in an image suffix and cannot '
                f'be written as {form}: it would be read back as '
                f'{image_id_of(image_id)!r}'
            )
