"""The result of a scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .lab import Outcome


@dataclass
class Report:
    """What a scenario did and found.

    Attributes:
        name (str): The scenario.
        kills (int): Processes that were killed.
        inside (dict[str, int]): Write -> kills inside it.
        finished (int): Times that the work got to its end.
        refused (int): Runs that were refused because another one was at work.
        problems (list[str]): The faults that were found; none is expected.
        notes (list[str]): Measurements.
    """

    name: str
    kills: int = 0
    inside: dict[str, int] = field(default_factory=dict)
    finished: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count a kill.

        Args:
            outcome (Outcome): The outcome of the process.
        """
        self.kills += outcome.killed
        if outcome.inside is not None:
            name = str(outcome.inside)
            self.inside[name] = self.inside.get(name, 0) + 1

    def check(self, problems: Iterable[str], when: str) -> None:
        """Add faults to the report.

        Args:
            problems (Iterable[str]): The faults.
            when (str): When it was looked at.
        """
        self.problems += [f'{problem} ({when})' for problem in problems]

    def __str__(self) -> str:
        inside = ', '.join(f'{n} x {w}' for w, n in self.inside.items())
        lines = [
            f'{self.name}: {self.kills} kills, {sum(self.inside.values())} of '
            f'them inside a write ({inside or "none"}), '
            f'{self.finished} times to the end, {self.refused} refused, '
            f'{len(self.problems) or "no"} problems'
        ]
        return '\n  '.join([*lines, *self.notes, *self.problems])
