"""PASCAL VOC's `Annotations`: one XML file per image, objects with names."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from oaa_mm.io.files import write_error
from oaa_mm.io.progress import progress
from oaa_mm.tags.classes import VOC_CLASSES
from oaa_mm.tags.table import LabelTable, TableBuilder

from ._common import list_folder

#: x0, y0, x1, y1 in pixels.
Box = tuple[int, int, int, int]


class _Builder(ElementTree.TreeBuilder):
    """It refuses document types, so that no entity can expand."""

    def doctype(self, *_: object) -> None:
        """Raise a ValueError instead of reading the type's entities."""
        raise ValueError(
            'it holds a DOCTYPE, which VOC annotations do not have'
        )


def _class_names(path: str) -> Iterator[str]:
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        root = ElementTree.parse(path, parser).getroot()
    except (OSError, SyntaxError, ValueError, LookupError) as error:
        raise ValueError(
            f'{path} cannot be read as XML: {error}; save it as XML in UTF-8'
        ) from error
    if root.tag != 'annotation':
        raise ValueError(
            f'{path} is not a VOC annotation: its root is <{root.tag}>, not '
            '<annotation>'
        )
    for item in root.findall('object'):
        # Only the object's own name: its parts (head, hand) have names too.
        yield item.findtext('name', '').strip()


def read_voc_xml(
    path: str | os.PathLike, *, classes: Sequence[str] | None = None
) -> LabelTable:
    """Read the names of the objects in a folder of VOC annotations.

    Objects marked difficult count, as in IRN's labels.

    Args:
        path (str | os.PathLike): Folder of XML files; the image id is the
            stem of the file, with the sub-folders that it is in.
        classes (Sequence[str], optional): Names of the classes. Defaults to
            the 20 of VOC.

    Returns:
        LabelTable: The labels; an image without object has no class.

    Raises:
        FileNotFoundError: `path` does not exist.
        ValueError: A file is not a VOC annotation, declares a document type
            or names an unknown class.
    """
    table = TableBuilder(path, VOC_CLASSES if classes is None else classes)
    files = list_folder(path, '.xml')
    for image_id, file in progress(files.items(), 'Reading XML', len(files)):
        names = set(_class_names(file))
        place = f'/{image_id}.xml'
        table.add(image_id, [table.class_index(n, place) for n in names])
    return table.build()


def annotation(
    image_id: str,
    objects: Iterable[tuple[str, Box | None]],
    size: tuple[int, int] | None = None,
) -> bytes:
    """The annotation of an image as XML.

    Args:
        image_id (str): The image; its file is called ``{image_id}.jpg``.
        objects (Iterable[tuple[str, Box | None]]): Class name and box (x0,
            y0, x1, y1) of each object, the ends exclusive; None: no box.
        size (tuple[int, int] | None): Height and width of the image. Defaults
            to None: it is left out.

    Returns:
        bytes: The content of the file.
    """
    root = ElementTree.Element('annotation')
    _add(root, filename=f'{image_id}.jpg')
    if size is not None:
        node = ElementTree.SubElement(root, 'size')
        _add(node, width=size[1], height=size[0], depth=3)
    for name, box in objects:
        node = ElementTree.SubElement(root, 'object')
        _add(node, name=name)
        if box is not None:  # VOC counts pixels from 1, ends included
            x0, y0, x1, y1 = box
            node = ElementTree.SubElement(node, 'bndbox')
            _add(node, xmin=x0 + 1, ymin=y0 + 1, xmax=x1, ymax=y1)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='utf-8') + b'\n'


def _add(parent: ElementTree.Element, **texts: str | int) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, tag).text = str(text)


def write_voc_xml(table: LabelTable, path: str | os.PathLike) -> None:
    """Write a folder of minimal annotations: objects' names, no boxes.

    Args:
        table (LabelTable): The labels, with class names.
        path (str | os.PathLike): The folder to make; it appears when all
            files are written.

    Raises:
        ValueError: The folder exists and is not empty, or there is no image.
        OSError: The folder cannot be written; nothing of it stays.
    """
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ValueError(
            f'{path} exists; voc_xml is written to a new or empty folder'
        )
    if not table.labels:
        raise ValueError(f'there is no image to write to {path}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f'.{path.name}.', dir=path.parent
        ) as temporary:
            folder = Path(temporary, 'Annotations')
            _write_folder(table, folder)
            if path.exists():
                path.rmdir()  # Windows renames to no existing folder
            folder.rename(path)
    except OSError as error:
        raise write_error(error, path) from error


def _write_folder(table: LabelTable, folder: Path) -> None:
    for image_id, indices in progress(
        list(table.labels.items()), 'Writing XML'
    ):
        objects = [(table.classes[index], None) for index in indices]
        file = folder / f'{image_id}.xml'
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_bytes(annotation(image_id, objects))
