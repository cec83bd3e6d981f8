"""Image ids: the key of everything that belongs to an image.

An id is the path of an image below its folder, without the suffix:
``2007_000032``, or ``a/000`` for the file ``a/000.png``.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterable
from unicodedata import category

#: Only these are cut off a name: ids such as `scan.v2` keep their dot.
IMAGE_SUFFIXES = (
    '.jpg', '.jpeg', '.png', '.bmp', '.gif', '.ppm', '.tif', '.tiff', '.webp'
)  # fmt: skip

#: Bytes of the longest part of an id. File systems take names of 255, and
#: there have to be class, suffix and the marks of a temporary file.
MAX_BYTES = 200

#: The form of nearly all ids, so that millions are checked quickly.
_PLAIN = re.compile('[A-Za-z0-9_-]{1,200}')

#: A drive, a root or a step upwards: the path of another machine or folder.
_FOREIGN = re.compile(r'/|[A-Za-z]:/|(.*/)?\.\./')

#: They reorder the text around them, so that a name shows as another one.
_BIDI = re.compile('[\u202a-\u202e\u2066-\u2069]')


def is_clean_text(text: str) -> bool:
    """Whether every file format can hold `text` on one line.

    Args:
        text (str): A class name, or the name of a file.

    Returns:
        bool: False where `text` holds control characters, line separators,
        lone surrogates or Unicode non-characters. Blanks of any kind and the
        joiners of emojis are fine.
    """
    if text.isascii():
        return text.isprintable()
    return not any(
        category(character) in ('Cc', 'Cs', 'Zl', 'Zp')
        or ord(character) & 0xFFFE == 0xFFFE
        or 0xFDD0 <= ord(character) <= 0xFDEF
        for character in text
    )


def _is_stem(part: str) -> bool:
    """Whether one part of an id can be the stem of a file name."""
    return (
        part == part.strip()
        and part != ''
        and not part.startswith('.')
        and '..' not in part
        and is_clean_text(part)
        and not _BIDI.search(part)
        and len(part.encode()) <= MAX_BYTES
    )


def check_image_id(image_id: str) -> str:
    """Return `image_id` if files can be named by it.

    Ids become file names (maps, pseudo-labels), so one from a foreign file
    must not lead outside the folder it is meant for.

    Args:
        image_id (str): For example ``'2007_000032'`` or ``'a/000'``.

    Returns:
        str: The same id.

    Raises:
        ValueError: A part of the id is empty, begins or ends with a blank,
            begins with a dot, contains ``..``, a backslash or a control
            character, or has more than 200 bytes; or the id is no text or is
            an absolute path.
    """
    if isinstance(image_id, str) and _PLAIN.fullmatch(image_id):
        return image_id
    if (
        not isinstance(image_id, str)
        or '\\' in image_id
        or _FOREIGN.match(image_id)
        or not all(map(_is_stem, image_id.split('/')))
    ):
        shown = image_id[:MAX_BYTES] if isinstance(image_id, str) else image_id
        raise ValueError(
            f'image id {shown!r} cannot be the stem of a file name: it '
            'must not be empty, lead out of its folder, begin with a dot, '
            "contain '..' or control characters, begin or end with a blank, "
            f'or exceed {MAX_BYTES} bytes; rename the file'
        )
    return image_id


def image_id_of(name: str, suffix: str | None = None) -> str:
    """The id of an image by the name that a list or table gives it.

    Args:
        name (str): For example ``'a/000.png'``. A backslash separates
            folders as well.
        suffix (str | None): End of the names of all images, such as
            ``'_sat.jpg'``, which is cut off in any case. Defaults to None:
            the usual suffixes of images.

    Returns:
        str: For example ``'a/000'``. Only the stem remains of an absolute
        path, and of one that leads upwards: its folders are those of another
        machine or of the data set's root.
    """
    name = name.strip().replace('\\', '/')
    if _FOREIGN.match(name):
        name = name.rsplit('/', 1)[-1]
    return _without_suffix(name.removeprefix('./'), suffix)


def _without_suffix(name: str, suffix: str | None) -> str:
    if suffix and name.lower().endswith(suffix.lower()) and name != suffix:
        return name[: -len(suffix)]
    stem, dot, ending = name.rpartition('.')
    return stem if dot + ending.lower() in IMAGE_SUFFIXES else name


def find_id(
    name: str, known: Container[str], suffix: str | None = None
) -> str | None:
    """The known id that a name in a list means.

    Args:
        name (str): With or without folders and suffix.
        known (Container[str]): The ids.
        suffix (str | None): See :func:`image_id_of`.

    Returns:
        str | None: The id with as many of the folders as there are in
        `known`; None where it is not known at all.
    """
    if '.' not in name and '/' not in name and '\\' not in name:
        return name if name in known else None  # nearly all, and much faster
    whole = _without_suffix(name.strip().replace('\\', '/'), suffix)
    if whole in known and not _FOREIGN.match(whole):
        return whole
    if '/' not in whole:
        return None
    whole = whole.rsplit('../', 1)[-1].lstrip('/')
    parts = whole.split('/')
    tails = ('/'.join(parts[first:]) for first in range(len(parts)))
    return next((tail for tail in tails if tail in known), None)


def match_ids(
    wanted: Iterable[str], known: Collection[str], where: str
) -> dict[str, str]:
    """Which known ids are meant, where only one side keeps the folders.

    Args:
        wanted (Iterable[str]): Ids of images.
        known (Collection[str]): Ids of a table, or of the files in a folder.
        where (str): The table or folder, for the message.

    Returns:
        dict[str, str]: Wanted -> known id, without those that have none:
        ``a/000`` is ``a/000``, else ``000``, and the other way round.

    Raises:
        ValueError: An id stands for several, or several for one.
    """
    found, others = {}, []
    for image_id in wanted:
        if image_id in known:
            found[image_id] = image_id
        else:
            others.append(image_id)
    by_stem: dict[str, list[str]] = defaultdict(list)
    for image_id in known if others else ():
        by_stem[image_id.rsplit('/', 1)[-1]].append(image_id)
    meant: dict[str, str] = {}
    for image_id in others:
        fits = [
            other
            for other in by_stem.get(image_id.rsplit('/', 1)[-1], ())
            if f'/{image_id}'.endswith(f'/{other}')
            or f'/{other}'.endswith(f'/{image_id}')
        ]
        rival = meant.setdefault(fits[0], image_id) if fits else image_id
        if len(fits) > 1 or rival != image_id:
            images = ' and '.join(map(repr, dict.fromkeys([image_id, rival])))
            raise ValueError(
                f'{where}: it is not clear which entry belongs to which '
                f'image: {images} may be {", ".join(map(repr, fits))}; name '
                'the sub-folders in both places'
            )
        if fits:
            found[image_id] = fits[0]
    return found
