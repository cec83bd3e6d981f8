"""Lists and files of a split: repeated, absent, unusable, of another size."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from oaa_mm.datasets.entries import check_distinct
from oaa_mm.datasets.files import (
    dark_images,
    faint_saliency,
    other_size,
    unusable,
)
from oaa_mm.io import IGNORE_INDEX
from oaa_mm.io.image_files import absent_files, absent_images
from oaa_mm.io.masks import require_class
from oaa_mm.tags.image_list import LISTED_TWICE

from .files import NOUNS, FileFacts
from .findings import Finding, note_refusal
from .split import SplitData


def check_list(data: SplitData) -> Iterator[Finding]:
    """Look for an empty list and for ids that it names twice.

    Args:
        data (SplitData): The split.

    Yields:
        Finding: Errors, and the numbers of files as information.
    """
    for note in data.split.notes:
        yield Finding('info', 'list', note)
    if not data.ids:
        if not data.findings:  # else the reason is known already
            text = 'no image is listed; list one a line, or give labels'
            yield Finding('error', 'list', text)
        return
    counts = Counter(data.ids)
    repeated = [f'{name} ({n} times)' for name, n in counts.items() if n > 1]
    yield Finding('error', 'list', LISTED_TWICE, repeated)
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
    text = '{n} groups of images have the same content; list one of each'
    groups = [' = '.join(g) for g in _by_content(data).values() if len(g) > 1]
    yield Finding('warning', 'overlap', text, groups)


def check_overlap(train: SplitData, val: SplitData) -> Iterator[Finding]:
    """Look for images that are used for training and for validation.

    Args:
        train (SplitData): The training set.
        val (SplitData): The validation set.

    Yields:
        Finding: An error for shared ids and a warning for files of equal
        content, which no stage refuses; for sets that are joined, an error
        where their ids clash.
    """
    if train.split.use == val.split.use:
        found: list[Finding] = []
        with note_refusal(found, 'overlap'):
            check_distinct(chain(_named_files(train), _named_files(val)))
        yield from found
        return
    shared = sorted(set(train.ids) & set(val.ids))
    text = '{n} images are in both lists; take them off one'
    yield Finding('error', 'overlap', text, shared)
    ours = _by_content(train)
    # An image that is in both lists is its own copy; once is enough. Of many
    # copies one is named, as there may be millions of pairs.
    pairs = [
        f'{copy} = {b}'
        for digest, ids in _by_content(val).items()
        for b in ids
        if (copy := next((a for a in ours.get(digest, ()) if a != b), None))
    ]
    text = (
        '{n} pairs of images have the same content, so that scores on them '
        'tell nothing; list one of each'
    )
    yield Finding('warning', 'overlap', text, pairs)


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
        foreign palettes and saliency maps that show nothing.
    """
    for kind, noun in NOUNS.items() if data.ids else ():
        needed = kind == 'images' or kind in data.split.needs
        if kind in data.files:
            yield from _check_kind(data, kind, needed)
        elif needed or kind == 'masks':
            text = f'there is no folder of {noun} to check; name it if there '
            text += 'is one (`data_prefix`, or the option of this command)'
            if kind == 'saliency':
                text += ', or do without: only --background saliency needs it'
            yield Finding('info', kind, text)


def _check_kind(data: SplitData, kind: str, needed: bool) -> Iterator[Finding]:
    files, noun = list(data.files[kind].values()), NOUNS[kind]
    absent = [file.path for file in files if file.missing]
    if kind == 'images':
        yield Finding('error', kind, absent_images(len(files)), absent)
    elif needed:
        yield Finding('error', kind, absent_files(noun, len(files)), absent)
    else:
        text = f'{{n}} of {len(files)} {noun} do not exist, which is fine'
        yield Finding('info', kind, text, absent)
    errors = [file.error for file in files if file.error]
    yield Finding('error', kind, unusable(len(files), noun), errors)
    text = f'{{n}} {noun} have another size than their image'
    yield Finding('error', kind, text, _other_sizes(data, kind))
    usable = [file for file in files if file.usable]
    if kind == 'images':
        text = (
            '{n} images carry an EXIF rotation, which is applied when they '
            'are loaded; their masks must be rotated too'
        )
        rotated = [file.path for file in usable if file.rotated]
        yield Finding('warning', kind, text, rotated)
        dark = {file.path: file.dark for file in usable if file.dark}
        yield Finding('warning', kind, *dark_images(dark))
        for mode in sorted({file.mode for file in usable} - {'RGB'}):
            text = f'{{n}} images are {mode}; they are converted to RGB'
            paths = [file.path for file in usable if file.mode == mode]
            yield Finding('info', kind, text, paths)
    elif kind == 'masks':
        yield from _check_values(data, usable)
    else:
        text = '{n} saliency maps are zero everywhere; make them again'
        empty = [file.path for file in usable if file.values == (0,)]
        yield Finding('warning', kind, text, empty)
        highest = {file.path: max(file.values, default=0) for file in usable}
        severity, text, faint = faint_saliency(highest)
        yield Finding(severity, kind, text, faint)


def _check_values(
    data: SplitData, masks: list[FileFacts]
) -> Iterator[Finding]:
    values = {value for mask in masks for value in mask.values}
    found: list[Finding] = []
    if masks:
        with note_refusal(found, 'masks'):
            require_class(values - {0, IGNORE_INDEX}, data.split.mask_dir)
    yield from found
    text = "{n} masks have other colours than VOC's; check their indices"
    foreign = [mask.path for mask in masks if not mask.voc_palette]
    yield Finding('warning', 'masks', text, foreign)
    text = f'{{n}} masks hold nothing but {IGNORE_INDEX} (ignored pixels)'
    blank = [mask.path for mask in masks if mask.values == (IGNORE_INDEX,)]
    yield Finding('info', 'masks', text, blank)


def _other_sizes(data: SplitData, kind: str) -> list[str]:
    """The files and their images, sizes as width x height."""
    items = []
    for image_id, file in data.files[kind].items():
        image = data.files['images'][image_id]
        if file.usable and image.usable and file.size != image.size:
            both = (file.path, file.size), (image.path, image.size)
            items.append(other_size(NOUNS[kind], *both))
    return items
