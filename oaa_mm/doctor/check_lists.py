"""Lists of images: repeated ids, equal images, overlap of two splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from oaa_mm.datasets.joined import check_distinct

from .findings import Finding
from .split import SplitData


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
