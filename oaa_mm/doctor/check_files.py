"""Image files, masks and saliency maps: absent, unusable, of another size."""

from __future__ import annotations

from collections.abc import Iterator

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
