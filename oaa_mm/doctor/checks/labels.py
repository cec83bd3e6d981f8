"""Image-level labels: absent, empty, out of range, and how they spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from oaa_mm.doctor.findings import Finding
from oaa_mm.doctor.split import SplitData

from ._common import Reporter


def class_name(data: SplitData, index: int) -> str:
    """Name of a class, or its number where names are unknown.

    Args:
        data (SplitData): A split, for its class names.
        index (int): Class index, 0-based.

    Returns:
        str: For example ``'cat'`` or ``'class 7'``.
    """
    if data.classes is not None and 0 <= index < len(data.classes):
        return data.classes[index]
    return f'class {index}'


def check_labels(data: SplitData) -> list[Finding]:
    """Compare the image-level labels with the list and with the classes.

    Args:
        data (SplitData): What was found of the split.

    Returns:
        list[Finding]: Errors for listed images without entry, without class
        and with an index out of range; warnings where labels are needed
        and there are none, and for classes that never occur; the
        statistics as information.
    """
    report = Reporter('labels', data.name)
    if not data.ids or any(f.check == 'labels' for f in data.findings):
        return report.findings
    ids = list(dict.fromkeys(data.ids))
    labels = {i: data.labels[i] for i in ids if i in (data.labels or {})}
    if data.labels is None or not (labels or 'labels' in data.needs):
        _add_absence(report, data)
        return report.findings
    report.add_if(
        'error',
        f'{{n}} of {len(ids)} listed images have no entry in the labels',
        [i for i in ids if i not in labels],
    )
    report.add_if(
        'error',
        '{n} images have an entry without any class',
        [i for i, indices in labels.items() if not indices],
    )
    _check_range(report, data, labels)
    _add_statistics(report, data, labels)
    return report.findings


def _add_absence(report: Reporter, data: SplitData) -> None:
    if 'labels' in data.needs:
        report.add(
            'warning',
            'there are no image-level labels, without which a classifier '
            'cannot be trained; give --labels, or a list with lines '
            '`name c1 c2 ...`',
        )
    else:
        report.add('info', 'there are no image-level labels')


def _check_range(
    report: Reporter, data: SplitData, labels: Mapping[str, tuple[int, ...]]
) -> None:
    if data.classes is None:
        report.add(
            'info',
            'class indices were not checked, because the number of classes '
            'is unknown; give --classes',
        )
        return
    count = len(data.classes)
    outside = {
        image_id: [index for index in indices if not 0 <= index < count]
        for image_id, indices in labels.items()
    }
    report.add_if(
        'error',
        '{n} images have a class index out of range; there are '
        f'{count} classes, 0 to {count - 1}',
        [f'{i} {wrong}' for i, wrong in outside.items() if wrong],
    )


def _add_statistics(
    report: Reporter, data: SplitData, labels: Mapping[str, tuple[int, ...]]
) -> None:
    per_class = Counter(c for indices in labels.values() for c in indices)
    if data.classes is not None and 'labels' in data.needs:
        report.add_if(
            'warning',
            '{n} classes never occur',
            [n for c, n in enumerate(data.classes) if not per_class[c]],
        )
    known = range(len(data.classes or ()))
    spread = ', '.join(
        f'{class_name(data, c)} {per_class[c]}'
        for c in sorted({*known, *per_class})
    )
    report.add('info', f'images per class: {spread}')
    sizes = Counter(len(indices) for indices in labels.values())
    spread = ', '.join(f'{n} with {k}' for k, n in sorted(sizes.items()))
    report.add('info', f'labels per image: {spread}')
