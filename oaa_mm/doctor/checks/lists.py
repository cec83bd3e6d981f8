"""Lists of images: empty ones, repeated ids, overlap of two splits."""

from __future__ import annotations

from collections import Counter, defaultdict

from oaa_mm.doctor.findings import Finding
from oaa_mm.doctor.split import SplitData

from ._common import Reporter


def _present(data: SplitData) -> str:
    """How many of the files that belong to the list are there."""
    kinds = {
        'images': data.images,
        'masks': data.masks,
        'saliency maps': data.saliency,
    }
    counts = [
        f'{sum(not probe.missing for probe in probes.values())} {kind}'
        for kind, probes in kinds.items()
        if probes is not None
    ]
    return f'found {", ".join(counts)}'


def check_list(data: SplitData) -> list[Finding]:
    """Look for an empty list and for ids that it names twice.

    Args:
        data (SplitData): What was found of a split.

    Returns:
        list[Finding]: Errors, and the numbers of files as information.
    """
    report = Reporter('list', data.name)
    if not data.ids:
        if not data.findings:  # else the reason is known already
            report.add('error', 'no image is listed')
        return report.findings
    counts = Counter(data.ids)
    report.add_if(
        'error',
        '{n} images are listed more than once',
        [f'{name} ({n} times)' for name, n in counts.items() if n > 1],
    )
    report.add('info', f'{len(counts)} images listed; {_present(data)}')
    return report.findings


def _by_content(data: SplitData) -> dict[str, list[str]]:
    groups = defaultdict(list)
    for image_id, probe in data.images.items():
        if probe.readable:
            groups[probe.digest].append(image_id)
    return groups


def check_copies(data: SplitData) -> list[Finding]:
    """Look for images of equal content within one list.

    Args:
        data (SplitData): What was found of a split.

    Returns:
        list[Finding]: A warning, if there are any.
    """
    report = Reporter('overlap', data.name)
    groups = _by_content(data).values()
    report.add_if(
        'warning',
        '{n} groups of images have the same content under several ids',
        [' = '.join(ids) for ids in groups if len(ids) > 1],
    )
    return report.findings


def check_overlap(train: SplitData, val: SplitData) -> list[Finding]:
    """Look for images that are used for training and for validation.

    Args:
        train (SplitData): What was found of the training set.
        val (SplitData): What was found of the validation set.

    Returns:
        list[Finding]: Errors for shared ids and for files of equal content.
    """
    report = Reporter('overlap', f'{train.name} and {val.name}')
    shared = set(train.ids) & set(val.ids)
    report.add_if('error', '{n} images are in both lists', sorted(shared))
    ours, theirs = _by_content(train), _by_content(val)
    # An image that is in both lists is its own copy; once is enough.
    pairs = [
        f'{a} = {b}'
        for digest, ids in ours.items()
        for a in ids
        for b in theirs.get(digest, [])
        if a != b
    ]
    report.add_if('error', '{n} pairs of images have the same content', pairs)
    return report.findings
