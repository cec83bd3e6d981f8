"""What the doctor prints, and what it writes for other programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from oaa_mm.io.files import write_json

from .findings import SEVERITIES, Finding, count_severity

_STYLES = {'error': 'bold red', 'warning': 'yellow', 'info': 'dim'}


def _describe(finding: Finding, limit: int) -> Text:
    """The message, and under it the first items; none for information."""
    # Text, because ids and paths are no markup: `[x]` stays as it is.
    text = Text(finding.message)
    if finding.severity == 'info':
        return text
    for item in finding.items[:limit]:
        text.append(f'\n  {item}', style='dim')
    more = len(finding.items) - limit
    if more > 0:
        text.append(f'\n  ... and {more} more', style='dim')
    return text


def _table(severity: str, findings: Sequence[Finding], limit: int) -> Table:
    table = Table(
        title=f'{severity} ({len(findings)})',
        title_style=_STYLES[severity],
        title_justify='left',
        expand=True,
    )
    table.add_column('check', no_wrap=True)
    # Long paths are folded, not cut: they are there to be copied.
    table.add_column('finding', overflow='fold', ratio=1)
    for finding in findings:
        table.add_row(finding.check, _describe(finding, limit))
    return table


def _count(number: int, noun: str) -> str:
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'


def print_findings(
    findings: Sequence[Finding],
    *,
    limit: int = 10,
    console: Console | None = None,
) -> None:
    """Print a table per severity, and a line of totals.

    Args:
        findings (Sequence[Finding]): What the checks found.
        limit (int): Items shown per finding. Defaults to 10.
        console (Console, optional): Where to print. Defaults to the standard
            output.
    """
    console = console or Console()
    # The worst comes last, where a terminal shows it.
    for severity in reversed(SEVERITIES):
        chosen = [f for f in findings if f.severity == severity]
        if chosen:
            console.print(_table(severity, chosen, limit))
    errors = count_severity(findings, 'error')
    warnings = count_severity(findings, 'warning')
    console.print(
        f'{_count(errors, "error")}, {_count(warnings, "warning")}',
        style=_STYLES['error'] if errors else 'bold green',
    )


def save_findings(
    path: str | os.PathLike, findings: Sequence[Finding]
) -> None:
    """Write all findings with all their items as JSON.

    Args:
        path (str | os.PathLike): The file to write, as a whole.
        findings (Sequence[Finding]): What the checks found.

    Raises:
        OSError: The file cannot be written.
    """
    content = {
        'errors': count_severity(findings, 'error'),
        'warnings': count_severity(findings, 'warning'),
        'findings': [asdict(finding) for finding in findings],
    }
    write_json(path, content)
