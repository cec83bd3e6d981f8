"""Printing findings, and writing them for other programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console

from oaa_mm.io.files import write_json

from .findings import SEVERITIES, Finding, count_severity, sort_findings

_STYLES = {'error': 'bold red', 'warning': 'yellow', 'info': 'dim'}


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
    for finding in sort_findings(findings, reverse=True):
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
