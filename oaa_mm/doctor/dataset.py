"""All checks of a data set, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from .checks import (
    check_copies,
    check_images,
    check_labels,
    check_list,
    check_masks,
    check_overlap,
    check_saliency,
)
from .findings import Finding, sort_findings
from .split import Split, SplitData, load_split

_CHECKS = (
    check_list,
    check_images,
    check_copies,
    check_labels,
    check_masks,
    check_saliency,
)


def check_split(data: SplitData) -> list[Finding]:
    """Run the checks that concern one split.

    Args:
        data (SplitData): What was found of the split.

    Returns:
        list[Finding]: In the order of the checks.
    """
    findings = list(data.findings)
    for check in _CHECKS:
        findings += check(data)
    return findings


def check_dataset(
    splits: Sequence[Split],
    *,
    classes: Sequence[str] | None = None,
    workers: int = 4,
    progress: bool = False,
) -> list[Finding]:
    """Look for all that is missing, wrong or inconsistent in a data set.

    Every file is read to its end, so this takes minutes for ten
    thousand images.

    Args:
        splits (Sequence[Split]): Usually a training and a validation set.
        classes (Sequence[str], optional): Names of the foreground classes in
            the order of their indices. Defaults to those of the labels'
            source, if it has any.
        workers (int): Threads that read files. Defaults to 4.
        progress (bool): Show progress bars on the standard error. Defaults
            to False.

    Returns:
        list[Finding]: Errors first, then warnings, then information.

    Raises:
        ValueError: `workers` is less than 1.
    """
    loaded = [
        load_split(split, classes=classes, workers=workers, progress=progress)
        for split in splits
    ]
    findings = [finding for data in loaded for finding in check_split(data)]
    for number, first in enumerate(loaded):
        for second in loaded[number + 1 :]:
            findings += check_overlap(first, second)
    return sort_findings(findings)
