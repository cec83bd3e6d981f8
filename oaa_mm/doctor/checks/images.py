"""Image files: absent, broken, tiny or in an unusual mode."""

from __future__ import annotations

from collections import Counter

from oaa_mm.doctor.findings import Finding
from oaa_mm.doctor.split import SplitData

from ._common import Reporter, select


def check_images(data: SplitData) -> list[Finding]:
    """Look at the image files of a split.

    Args:
        data (SplitData): What was found of the split.

    Returns:
        list[Finding]: Errors for absent, unreadable and one pixel high or
        wide images; EXIF rotations as warning; other modes than RGB as
        information, because they are converted when they are loaded.
    """
    report = Reporter('images', data.name)
    probes = data.images
    total = len(probes)
    report.add_if(
        'error',
        f'{{n}} of {total} listed images do not exist',
        select(probes, lambda p: p.missing),
    )
    report.add_if(
        'error',
        f'{{n}} of {total} images cannot be read',
        select(probes, lambda p: p.error, lambda p: p.error),
    )
    report.add_if(
        'error',
        '{n} images are only one pixel high or wide',
        select(
            probes,
            lambda p: p.readable and min(p.size) < 2,
            lambda p: '{}x{}'.format(*p.size),
        ),
    )
    report.add_if(
        'warning',
        '{n} images carry an EXIF rotation, which is applied when they are '
        'loaded; their masks must be rotated too',
        select(probes, lambda p: p.rotated),
    )
    modes = Counter(p.mode for p in probes.values() if p.readable)
    for mode, count in sorted(modes.items()):
        if mode != 'RGB':
            report.add(
                'info',
                f'{count} images are {mode}; they are converted to RGB',
                select(probes, lambda p, m=mode: p.readable and p.mode == m),
            )
    return report.findings
