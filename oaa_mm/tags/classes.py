"""Names of the foreground classes, in the order of their indices."""

import os
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

from mmseg.utils import get_classes

from oaa_mm.io import read_text
from oaa_mm.io.ids import is_clean_text

#: The 20 classes of PASCAL VOC.
VOC_CLASSES = tuple(get_classes('voc')[1:])

#: The 80 thing classes of COCO, in the order of their category ids.
COCO_CLASSES = tuple(get_classes('cocostuff')[:80])

#: COCO numbers its categories 1..91, and eleven of them were never used.
_COCO_UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)

#: Category id of each of the 80 COCO classes (`COCO_CLASSES[i]`).
COCO_CATEGORY_IDS = tuple(
    number for number in range(1, 92) if number not in _COCO_UNUSED
)


#: Names by which annotation tools mark what is not a class.
NO_CLASSES = ('background', '_background_', '__background__', '__ignore__')


def is_no_class(name: str) -> bool:
    """Whether a name stands for the background or for ignored pixels."""
    return name.strip().lower() in NO_CLASSES


def normalize_classes(classes: Iterable[str]) -> tuple[str, ...]:
    """Check class names and strip the blanks around them.

    Args:
        classes (Iterable[str]): Names of the foreground classes.

    Returns:
        tuple[str, ...]: The names.

    Raises:
        ValueError: A name is empty, repeated, not a text or 'background', or
            there is none.
    """
    if isinstance(classes, str):
        raise ValueError(
            f'classes should be a sequence of names, but got the text '
            f'{classes!r}; write ({classes!r},) for a single class'
        )
    names = tuple(classes)
    for name in names:
        if not isinstance(name, str) or not is_clean_text(name):
            raise ValueError(
                f'a class name should be a line of text, but got {name!r}'
            )
    names = tuple(name.strip() for name in names)
    if not names or '' in names:
        raise ValueError(f'classes should be non-empty names, not {names}')
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f'classes have repeated names: {repeated}')
    if wrong := list(filter(is_no_class, names)):
        raise ValueError(
            f'classes hold {wrong[0]!r}, which is not a class here: index 0 '
            'is the first foreground class; leave background out'
        )
    return names


def load_classes(spec: str) -> tuple[str, ...]:
    """Class names from an argument of a command line.

    Args:
        spec (str): ``'voc'``, ``'coco'``, a text file with one name a line
            (blank lines are skipped), the ``class_names.txt`` of LabelMe and
            the ``labelmap.txt`` of CVAT, whose background is left out, which
            the log says; or names separated by commas.

    Returns:
        tuple[str, ...]: The names in the order of their indices.

    Raises:
        FileNotFoundError: `spec` looks like a file that is absent.
        ValueError: See :func:`normalize_classes`.
    """
    known = {'voc': VOC_CLASSES, 'coco': COCO_CLASSES}
    if spec in known:
        return known[spec]
    path = Path(spec)
    if ',' not in spec and os.path.isfile(spec):
        names = _names_in(path)
    elif ',' not in spec and (path.suffix == '.txt' or path.name != spec):
        raise FileNotFoundError(
            f'class names: there is no file {spec}; give a text file with '
            "one name a line, names separated by commas, 'voc' or 'coco'"
        )
    else:
        names = spec.split(',')
    try:
        return normalize_classes(names)
    except ValueError as error:
        raise ValueError(f'class names {spec}: {error}') from error


def _names_in(path: Path) -> list[str]:
    """The names in a file, without those that its format sets apart."""
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    if lines and lines[0].startswith('# label:color_rgb'):
        # CVAT: name, colour, parts and actions.
        names = [line.rsplit(':', 3)[0] for line in lines[1:]]
        left_out = list(filter(is_no_class, names))
    else:
        names = lines
        # LabelMe begins with `__ignore__` and `_background_`, in that order.
        left_out = list(takewhile(_is_labelme, names[:2]))
    for name in left_out:
        print(f'{path}: {name!r} is no class and was left out')
    return [name for name in names if name not in left_out]


def _is_labelme(name: str) -> bool:
    return name.strip() in ('__ignore__', '_background_')
