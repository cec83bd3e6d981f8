"""All checks of a data set, in one call."""

from collections.abc import Sequence
from itertools import chain, combinations

from .check_files import check_copies, check_files, check_list, check_overlap
from .check_labels import check_agreement, check_labels
from .findings import Finding, name_split, sort_findings
from .split import Split, load_split

_CHECKS = (
    check_list,
    check_files,
    check_copies,
    check_labels,
    check_agreement,
)


def check_dataset(
    splits: Sequence[Split],
    *,
    classes: Sequence[str] | None = None,
    workers: int = 4,
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

    Returns:
        list[Finding]: Errors first, then warnings, then information.

    Raises:
        ValueError: `workers` is less than 1.
    """
    loaded = [
        load_split(split, classes=classes, workers=workers) for split in splits
    ]
    findings = []
    for data in loaded:
        found = [*data.findings, *chain(*(check(data) for check in _CHECKS))]
        findings += name_split(found, data.split.name)
    for first, second in combinations(loaded, 2):
        both = f'{first.split.name} and {second.split.name}'
        findings += name_split(check_overlap(first, second), both)
    return sort_findings(findings)
