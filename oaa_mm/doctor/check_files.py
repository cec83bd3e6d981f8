"""Lists and files of a split: repeated, absent, unusable, of another size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from oaa_mm.datasets.joined import check_distinct
from oaa_mm.io import IGNORE_INDEX
from oaa_mm.io.masks import require_class

from .findings import Finding
from .split import SplitData

_NOUNS = {'images': 'images', 'masks': 'masks', 'saliency': 'saliency maps'}

_WITHOUT = {
    'saliency': '; pseudo-labels can do without (--background power)',
}

#: Kind of file -> severity, message, and whether it concerns a usable file.
_REMARKS = {
    'images': [
        (
            'warning',
            '{n} images carry an EXIF rotation, which is applied when they '
            'are loaded; their masks must be rotated too',
            lambda file: file.rotated,
        ),
    ],
    'masks': [
        (
            'warning',
            "{n} masks have a palette other than VOC's; was it a colour "
            'image?',
            lambda file: not file.voc_palette,
        ),
        (
            'info',
            f'{{n}} masks hold nothing but {IGNORE_INDEX} (ignored pixels)',
            lambda file: file.values == (IGNORE_INDEX,),
        ),
    ],
    'saliency': [
        (
            'warning',
            '{n} saliency maps are zero everywhere',
            lambda file: file.values == (0,),
        ),
    ],
}


def check_list(data: SplitData) -> Iterator[Finding]:
    """Look for an empty list and for ids that it names twice.

    Args:
        data (SplitData): The split.

    Yields:
        Finding: Errors, and the numbers of files as information.
    """
    if not data.ids:
        if not data.findings:  # else the reason is known already
            yield Finding('error', 'list', 'no image is listed')
        return
    counts = Counter(data.ids)
    yield Finding(
        'error',
        'list',
        '{n} images are listed more than once',
        [f'{name} ({n} times)' for name, n in counts.items() if n > 1],
    )
    found = ', '.join(
        f'{sum(not file.missing for file in files.values())} {kind}'
        for kind, files in data.files.items()
    )
    text = f'{len(counts)} images listed; found {found}'
    yield Finding('info', 'list', text)


def check_copies(data: SplitData) -> Iterator[Finding]:
    """Look for images of equal content within one list.

    Args:
        data (SplitData): The split.

    Yields:
        Finding: A warning, if there are any.
    """
    yield Finding(
        'warning',
        'overlap',
        '{n} groups of images have the same content under several ids',
        [' = '.join(ids) for ids in _by_content(data).values() if ids[1:]],
    )


def check_overlap(train: SplitData, val: SplitData) -> Iterator[Finding]:
    """Look for images that are used for training and for validation.

    Args:
        train (SplitData): The training set.
        val (SplitData): The validation set.

    Yields:
        Finding: Errors for shared ids and for files of equal content; for
        sets that are joined, an error where their ids clash.
    """
    if train.split.use == val.split.use:
        images = chain(_named_files(train), _named_files(val))
        try:
            check_distinct(images)
        except ValueError as error:
            yield Finding('error', 'overlap', str(error))
        return
    shared = sorted(set(train.ids) & set(val.ids))
    yield Finding('error', 'overlap', '{n} images are in both lists', shared)
    theirs = _by_content(val)
    # An image that is in both lists is its own copy; once is enough.
    pairs = [
        f'{a} = {b}'
        for digest, ids in _by_content(train).items()
        for a in ids
        for b in theirs.get(digest, [])
        if a != b
    ]
    text = '{n} pairs of images have the same content'
    yield Finding('error', 'overlap', text, pairs)


def _named_files(data: SplitData) -> Iterator[tuple[str, str]]:
    for image_id, file in data.files.get('images', {}).items():
        yield data.split.id_prefix + image_id, file.path


def _by_content(data: SplitData) -> dict[str, list[str]]:
    groups = defaultdict(list)
    for image_id, file in data.files.get('images', {}).items():
        if file.usable:
            groups[file.digest].append(image_id)
    return groups


def check_files(data: SplitData) -> Iterator[Finding]:
    """Look at the images, masks and saliency maps of a split.

    Args:
        data (SplitData): The split.

    Yields:
        Finding: Errors for files that the later stages cannot use, have
        another size than their image, or are absent and needed; absent ones
        that are not needed as information. Warnings for EXIF rotations,
        foreign palettes and empty saliency maps.
    """
    for kind, noun in _NOUNS.items() if data.ids else ():
        needed = kind == 'images' or kind in data.split.needs
        if kind in data.files:
            yield from _check_kind(data, kind, needed)
        elif needed or kind == 'masks':
            text = f'there is no folder of {noun} to check'
            yield Finding('info', kind, text + _WITHOUT.get(kind, ''))


def _check_kind(data: SplitData, kind: str, needed: bool) -> Iterator[Finding]:
    files, noun = list(data.files[kind].values()), _NOUNS[kind]
    yield Finding(
        'error' if needed else 'info',
        kind,
        f'{{n}} of {len(files)} {noun} do not exist'
        + ('' if needed else ', and need not'),
        [file.path for file in files if file.missing],
    )
    yield Finding(
        'error',
        kind,
        f'{{n}} of {len(files)} {noun} cannot be used',
        [file.error for file in files if file.error],
    )
    usable = [file for file in files if file.usable]
    if kind == 'masks' and usable:
        values = {value for file in usable for value in file.values}
        try:
            require_class(values - {0, IGNORE_INDEX}, data.split.mask_dir)
        except ValueError as error:
            yield Finding('error', kind, str(error))
    text = f'{{n}} {noun} have another size than their image'
    yield Finding('error', kind, text, _other_sizes(data, kind))
    for severity, text, concerns in _REMARKS[kind]:
        paths = [file.path for file in usable if concerns(file)]
        yield Finding(severity, kind, text, paths)
    modes = {file.mode for file in usable} - {'RGB'}
    for mode in sorted(modes) if kind == 'images' else ():
        text = f'{{n}} images are {mode}; they are converted to RGB'
        paths = [file.path for file in usable if file.mode == mode]
        yield Finding('info', kind, text, paths)


def _other_sizes(data: SplitData, kind: str) -> list[str]:
    """``'path (32x48, image 33x48)'``, sizes as height x width."""
    items = []
    for image_id, file in data.files[kind].items():
        image = data.files['images'][image_id]
        if file.usable and image.usable and file.size != image.size:
            sizes = '{}x{}, image {}x{}'.format(*file.size, *image.size)
            items.append(f'{file.path} ({sizes})')
    return items
