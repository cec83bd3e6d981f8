"""Findings: the remarks of the checks about a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from oaa_mm.checks import check_choice

#: From the worst; only errors make the command fail.
SEVERITIES = ('error', 'warning', 'info')


@dataclass(frozen=True)
class Finding:
    """One observation about a data set.

    Args:
        severity (str): ``'error'`` (training would fail or be wrong),
            ``'warning'`` (probably not meant) or ``'info'``.
        check (str): The kind of thing that was looked at, e.g. ``'masks'``.
        message (str): One sentence, with numbers.
        items (tuple[str, ...]): The files or ids concerned, all of them.

    Raises:
        ValueError: `severity` is none of the three.
    """

    severity: str
    check: str
    message: str
    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice('severity', self.severity, SEVERITIES)
        object.__setattr__(self, 'items', tuple(self.items))


def name_split(findings: Iterable[Finding], split: str) -> list[Finding]:
    """Put the split and the numbers of items into messages.

    Args:
        findings (Iterable[Finding]): The findings of checks. In a message,
            ``{n}`` stands for the number of items; such a finding is left out
            where there is no item.
        split (str): Name of the split, put in front of each message.

    Returns:
        list[Finding]: The findings as users read them.
    """
    named = []
    for finding in findings:
        if finding.items or '{n}' not in finding.message:
            text = finding.message.replace('{n}', str(len(finding.items)))
            named.append(replace(finding, message=f'{split}: {text}'))
    return named


def sort_findings(
    findings: Iterable[Finding], *, reverse: bool = False
) -> list[Finding]:
    """Findings from the worst to the mildest, else in their order.

    Args:
        findings (Iterable[Finding]): In any order.
        reverse (bool): From the mildest to the worst. Defaults to False.

    Returns:
        list[Finding]: The same, sorted.
    """
    return sorted(
        findings, key=lambda f: SEVERITIES.index(f.severity), reverse=reverse
    )


def count_severity(findings: Iterable[Finding], severity: str) -> int:
    """Number of findings of one severity.

    Args:
        findings (Iterable[Finding]): The findings of the checks.
        severity (str): One of :data:`SEVERITIES`.

    Returns:
        int: How many there are.
    """
    return sum(finding.severity == severity for finding in findings)
