"""Saliency maps: absent, of another size, empty or badly scaled."""

from __future__ import annotations

from oaa_mm.doctor.findings import Finding
from oaa_mm.doctor.probe import DEEP_MODES
from oaa_mm.doctor.split import SplitData

from ._common import Reporter, other_size, select


def check_saliency(data: SplitData) -> list[Finding]:
    """Look at the saliency maps of a split.

    Args:
        data (SplitData): What was found of the split.

    Returns:
        list[Finding]: Errors for maps that are absent (where needed),
        unreadable, not 8-bit or of another size than the image; warnings for
        maps that are all zero or hold 0 and 1 in place of 0..255.
    """
    report = Reporter('saliency', data.name)
    if not data.ids:
        return report.findings
    needed = 'saliency' in data.needs
    if data.saliency is None:
        if needed:
            report.add(
                'info',
                'there is no folder of saliency maps to check; pseudo-labels '
                "can do without (background='power' or 'constant')",
            )
        return report.findings
    maps = data.saliency
    report.add_if(
        'error' if needed else 'info',
        f'{{n}} of {len(maps)} saliency maps do not exist',
        select(maps, lambda p: p.missing),
    )
    report.add_if(
        'error',
        '{n} saliency maps cannot be read',
        select(maps, lambda p: p.error, lambda p: p.error),
    )
    report.add_if(
        'error',
        '{n} saliency maps are not 8-bit images',
        select(maps, lambda p: p.mode in DEEP_MODES, lambda p: p.mode),
    )
    report.add_if(
        'error',
        '{n} saliency maps have another size than their image',
        other_size(data, maps),
    )
    report.add_if(
        'warning',
        '{n} saliency maps are zero everywhere',
        select(maps, lambda p: p.values == b'\0'),
    )
    report.add_if(
        'warning',
        '{n} saliency maps hold 0 and 1 only; the scale is 0 to 255',
        select(maps, lambda p: p.values in (b'\0\1', b'\1')),
    )
    return report.findings
