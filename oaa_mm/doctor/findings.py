"""Findings: the remarks of the checks about a data set, and their output."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from rich.console import Console

from oaa_mm.io import write_json

#: From the worst; only errors make the command fail.
SEVERITIES = ('error', 'warning', 'info')

_STYLES = {'error': 'bold red', 'warning': 'yellow', 'info': 'dim'}


@dataclass(frozen=True)
class Finding:
    """One observation about a data set.

    Args:
        severity (str): ``'error'`` (training would fail or be wrong),
            ``'warning'`` (probably not meant) or ``'info'``.
        check (str): The kind of thing that was looked at, e.g. ``'masks'``.
        message (str): One sentence, with numbers.
        items (tuple[str, ...]): The files or ids concerned, all of them.
    """

    severity: str
    check: str
    message: str
    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, 'items', tuple(self.items))


@contextmanager
def note_refusal(findings: list[Finding], check: str) -> Iterator[None]:
    """Make a finding of the reason why a later stage would refuse its input.

    Args:
        findings (list[Finding]): Gets an error, if the block raises one.
        check (str): The kind of thing that the block looks at.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        findings.append(Finding('error', check, str(error)))


def name_split(findings: Iterable[Finding], split: str) -> list[Finding]:
    """Put the split and the numbers of items into messages.

    Args:
        findings (Iterable[Finding]): The findings of checks. In a message,
            ``{n}`` stands for the number of items; such a finding is left out
            where there is no item. ``{names}``, the place where stages name
            items, is left out.
        split (str): Name of the split, put in front of each message.

    Returns:
        list[Finding]: The findings as users read them.
    """
    named = []
    for finding in findings:
        if finding.items or '{n}' not in finding.message:
            text = finding.message.replace('{n}', str(len(finding.items)))
            text = text.replace('{names}', '')
            named.append(replace(finding, message=f'{split}: {text}'))
    return named


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Findings from the worst to the mildest, else in their order.

    Args:
        findings (Iterable[Finding]): In any order.

    Returns:
        list[Finding]: The same, sorted.
    """
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> int:
    return SEVERITIES.index(finding.severity)


def count_severity(findings: Iterable[Finding], severity: str) -> int:
    """Number of findings of one severity.

    Args:
        findings (Iterable[Finding]): The findings of the checks.
        severity (str): One of :data:`SEVERITIES`.

    Returns:
        int: How many there are.
    """
    return sum(finding.severity == severity for finding in findings)


def print_findings(
    findings: Sequence[Finding],
    *,
    limit: int = 10,
    console: Console | None = None,
) -> None:
    """Print the findings, and a line of totals.

    Args:
        findings (Sequence[Finding]): The findings of the checks.
        limit (int): Items shown per finding. Defaults to 10.
        console (Console, optional): Where to print. Defaults to the standard
            output.
    """
    console = console or Console()

    def _print(text: str, style: str) -> None:
        # Ids and paths are no markup: `[x]` stays as it is; and long ones are
        # not cut, because they are there to be copied.
        console.print(
            text, style=style, markup=False, highlight=False, soft_wrap=True
        )

    # The worst comes last, where a terminal shows it.
    for finding in sorted(findings, key=_rank, reverse=True):
        kind = f'{finding.severity} ({finding.check})'
        _print(f'{kind}: {finding.message}', _STYLES[finding.severity])
        if finding.severity != 'info':
            for item in finding.items[:limit]:
                _print(f'    {item}', 'dim')
            if (more := len(finding.items) - limit) > 0:
                _print(f'    ... and {more} more', 'dim')
    counts = {kind: count_severity(findings, kind) for kind in SEVERITIES[:2]}
    totals = [f'{n} {kind}' + 's' * (n != 1) for kind, n in counts.items()]
    _print(', '.join(totals), _STYLES['error' if counts['error'] else 'info'])


def save_findings(
    path: str | os.PathLike, findings: Sequence[Finding]
) -> None:
    """Write all findings with all their items as JSON.

    Args:
        path (str | os.PathLike): The file to write, as a whole.
        findings (Sequence[Finding]): The findings of the checks.

    Raises:
        OSError: The file cannot be written.
    """
    content = {
        'errors': count_severity(findings, 'error'),
        'warnings': count_severity(findings, 'warning'),
        'findings': [asdict(finding) for finding in findings],
    }
    write_json(path, content)
