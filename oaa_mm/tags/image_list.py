"""Lists of images: a text file, one image a line.

A line is a name, maybe with folders, a suffix and blanks; then come the
classes of the image (``2007_000032 7 14``), or the name of its mask
(``/JPEGImages/x.jpg /SegmentationClassAug/x.png``), or a comment
(``# ...``), or nothing.
"""

import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence

from oaa_mm.checks import list_names
from oaa_mm.io import check_image_id, image_id_of, read_text
from oaa_mm.io.ids import IMAGE_SUFFIXES, find_id

from .table import LabelTable, ListedImage, TableBuilder

#: The message where images are repeated, see :func:`oaa_mm.checks.list_names`.
LISTED_TWICE = (
    '{n} images are listed more than once{names}; keep one line of each'
)
#: The separators of words. Other blanks of Unicode belong to names.
_BLANKS = ' \t\r\f\v'
_WORD = re.compile(f'[^{_BLANKS}]+')
_COMMENT = re.compile(f'(?<![^{_BLANKS}])#.*')
_NUMBER = re.compile('-?[0-9]+')
_NUMBERS = re.compile(f'(-?[0-9]+([{_BLANKS}]+|$))*(#.*)?')


def read_image_list(
    path: str | os.PathLike,
    *,
    tags: bool = False,
    known: Container[str] | None = None,
    suffix: str | None = None,
    unique: bool = True,
) -> list[ListedImage]:
    """Read a list of images; the only reader of such lists.

    Where a line can be read in two ways (``cat 0`` is the image ``cat 0``, or
    the image ``cat`` of class 0), the one that is `known` is meant.

    Args:
        path (str | os.PathLike): UTF-8 text, with or without byte order
            mark. Blank lines and comments (``#``) are skipped.
        tags (bool): Whether the numbers after a name are its classes.
            Defaults to False: they are skipped.
        known (Container[str] | None): Ids of the images that there are: an
            :class:`~oaa_mm.io.ImageFolder`, a table, a store. Defaults
            to None: numbers after a name are no part of it.
        suffix (str | None): End of the names of all images, see
            :func:`oaa_mm.io.image_id_of`. Defaults to None.
        unique (bool): Whether an image that is listed more than once is an
            error. Defaults to True.

    Returns:
        list[ListedImage]: ``(image_id, name, tags)`` of each line.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: The list is no text or is empty, an image is listed more
            than once, a name cannot be the name of a file, a line can be read
            in two ways or has a class that is no number.
    """
    images = []
    for number, line in enumerate(read_text(path).split('\n'), 1):
        line = line.strip(_BLANKS)
        if not line:
            continue
        try:
            image = _read_line(line, tags, known, suffix)
        except ValueError as error:
            raise ValueError(f'{path}, line {number}: {error}') from error
        if image is not None:
            images.append(image)
    if not images:
        raise ValueError(
            f'{path}: the list names no image; it should hold one a line'
        )
    counts = Counter(image.image_id for image in images)
    twice = [i for i, count in counts.items() if count > 1]
    if twice and unique:
        raise ValueError(f'{path}: {list_names(LISTED_TWICE, twice)}')
    return images


def labels_in_list(
    images: Sequence[ListedImage],
    source: str | os.PathLike,
    classes: Iterable[str] | None = None,
) -> LabelTable:
    """The labels that the lines of a list carry.

    Args:
        images (Sequence[ListedImage]): Read with `tags`.
        source (str | os.PathLike): The list, for messages.
        classes (Iterable[str], optional): Names of the classes.

    Returns:
        LabelTable: The labels; a name alone gives an image without class.

    Raises:
        ValueError: A class index is out of range.
    """
    table = TableBuilder(source, classes)
    for image in images:
        table.add(image.image_id, image.tags)
        table.files[image.image_id] = image.name
    return table.build()


def _read_line(
    line: str,
    tags: bool,
    known: Container[str] | None,
    suffix: str | None,
) -> ListedImage | None:
    readings = _readings(line)
    there = {
        image_id: (name, rest)
        for name, rest in (() if known is None else reversed(readings))
        if (image_id := find_id(name, known, suffix)) is not None
    }
    if len(there) > 1:
        raise ValueError(
            f'{line!r} can be read in two ways, and both images exist: '
            f'{" and ".join(map(repr, there))}; rename one of them'
        )
    if line.startswith('#') and not there:
        return None
    if there:
        ((image_id, (name, rest)),) = there.items()
    else:
        name, rest = _usual_reading(readings, tags)
        image_id = image_id_of(name, suffix)
    check_image_id(image_id)
    return ListedImage(image_id, name, _tags(rest) if tags else None)


def _readings(line: str) -> list[tuple[str, str]]:
    """Each name that a line may begin with, and what follows it."""
    ends = [word.end() for word in _WORD.finditer(line)]
    parts = [(line[:end], line[end:].strip(_BLANKS)) for end in ends]
    return [(name, rest) for name, rest in parts if _may_follow(name, rest)]


def _may_follow(name: str, rest: str) -> bool:
    """Whether what follows a name is nothing, numbers, a comment or a mask."""
    if not rest or _NUMBERS.fullmatch(rest):
        return True
    words = _before_comment(rest)
    return len(words) == 1 and _has_suffix(name) and _has_suffix(words[0])


def _before_comment(rest: str) -> list[str]:
    return _WORD.findall(_COMMENT.sub('', rest) if '#' in rest else rest)


def _has_suffix(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES)


def _usual_reading(
    readings: list[tuple[str, str]], tags: bool
) -> tuple[str, str]:
    """The reading where nothing is known of the images."""
    for name, rest in readings:
        if _has_suffix(name) and '#' not in _WORD.findall(name):
            return name, rest
    name, rest = readings[0]
    _, *others = _before_comment(name)
    wrong = [word for word in others if not _NUMBER.fullmatch(word)]
    if tags and wrong:
        raise ValueError(
            f'{wrong[0]!r} is not a class index (a number from 0); a name '
            'that holds blanks is listed with its suffix, such as .jpg'
        )
    return name, rest


def _tags(rest: str) -> tuple[int, ...]:
    words = _before_comment(rest)
    if len(words) == 1 and _has_suffix(words[0]):
        return ()  # the mask's name
    for word in words:
        if word.startswith('-') or len(word) > 9:
            raise ValueError(
                f'{word!r} is not a class index (a number from 0)'
            )
    return tuple(map(int, words))
