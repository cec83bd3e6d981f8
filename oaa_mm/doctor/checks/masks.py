"""Masks: absent, of another size, with wrong values, against the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from oaa_mm.doctor.findings import Finding
from oaa_mm.doctor.probe import Probe
from oaa_mm.doctor.split import SplitData
from oaa_mm.io.masks import INDEX_MODES

from ._common import Reporter, other_size, select
from .labels import class_name

#: The mask value of pixels that count nowhere.
IGNORE = 255


def check_masks(data: SplitData) -> list[Finding]:
    """Look at the masks of a split and compare them with the labels.

    Args:
        data (SplitData): What was found of the split.

    Returns:
        list[Finding]: Errors for masks that are unreadable, hold colours, have
        another size than the image or values that are no class; absent ones
        are an error where masks are needed, else information. Warnings for
        foreign palettes and for disagreement with the labels.
    """
    report = Reporter('masks', data.name)
    if not data.ids:
        return report.findings
    if data.masks is None:
        report.add('info', 'there is no folder of masks to check')
        return report.findings
    _check_presence(report, data, data.masks)
    _check_form(report, data, data.masks)
    _check_values(report, data, data.masks)
    _check_agreement(report, data, data.masks)
    return report.findings


def _check_presence(
    report: Reporter, data: SplitData, masks: Mapping[str, Probe]
) -> None:
    needed = 'masks' in data.needs
    report.add_if(
        'error' if needed else 'info',
        f'{{n}} of {len(masks)} masks do not exist'
        + ('' if needed else ' (image-level labels are enough to train)'),
        select(masks, lambda p: p.missing),
    )
    unreadable = select(masks, lambda p: p.error, lambda p: p.error)
    report.add_if('error', '{n} masks cannot be read', unreadable)


def _check_form(
    report: Reporter, data: SplitData, masks: Mapping[str, Probe]
) -> None:
    report.add_if(
        'error',
        '{n} masks hold colours; a mask should be a palette or greyscale PNG '
        'of class indices',
        select(
            masks,
            lambda p: p.readable and p.mode not in INDEX_MODES,
            lambda p: p.mode,
        ),
    )
    report.add_if(
        'error',
        '{n} masks have another size than their image',
        other_size(data, masks),
    )
    report.add_if(
        'warning',
        "{n} masks have a palette other than VOC's; was it a colour image?",
        select(masks, lambda p: p.readable and not p.voc_palette),
    )


def _check_values(
    report: Reporter, data: SplitData, masks: Mapping[str, Probe]
) -> None:
    report.add_if(
        'info',
        f'{{n}} masks hold nothing but {IGNORE} (ignored pixels)',
        select(masks, lambda p: p.values == bytes([IGNORE])),
    )
    if data.classes is None:
        return
    count = len(data.classes)

    def wrong(probe: Probe) -> list[int]:
        return [v for v in probe.values if count < v < IGNORE]

    report.add_if(
        'error',
        f'{{n}} masks have values other than 0..{count} and {IGNORE}',
        select(masks, wrong, lambda p: ', '.join(map(str, wrong(p)))),
    )


def _mask_classes(probe: Probe) -> set[int]:
    return {value - 1 for value in probe.values if 0 < value < IGNORE}


def _count_text(data: SplitData, counts: Counter) -> str:
    if not counts:
        return 'none'
    return ', '.join(
        f'{class_name(data, c)} {counts[c]}' for c in sorted(counts)
    )


def _check_agreement(
    report: Reporter, data: SplitData, masks: Mapping[str, Probe]
) -> None:
    """Which classes only the masks, or only the labels, say are there."""
    only_masks, only_labels, items = Counter(), Counter(), []
    for image_id, probe in masks.items():
        # Greyscale or palette only: else the mask says nothing on classes.
        if image_id not in (data.labels or {}) or not probe.values:
            continue
        seen, said = _mask_classes(probe), set(data.labels[image_id])
        only_masks.update(seen - said)
        only_labels.update(said - seen)
        signs = [f'+{class_name(data, c)}' for c in sorted(seen - said)]
        signs += [f'-{class_name(data, c)}' for c in sorted(said - seen)]
        if signs:
            items.append(f'{image_id} {" ".join(signs)}')
    report.add_if(
        'warning',
        '{n} masks disagree with the image-level labels; only in masks (+): '
        f'{_count_text(data, only_masks)}; only in labels (-): '
        f'{_count_text(data, only_labels)}',
        items,
    )
