"""Comparing two sources of labels, image by image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Column, Table

from oaa_mm.checks import name_some

from .table import LabelTable

Indices = tuple[int, ...]

#: The most images that are listed one by one.
LISTED = 20


@dataclass(frozen=True)
class LabelDiff:
    """How the tables `a` and `b` differ.

    Args:
        only_in_a (tuple[str, ...]): Image ids that b lacks, sorted.
        only_in_b (tuple[str, ...]): Image ids that a lacks, sorted.
        changed (dict[str, tuple[Indices, Indices]]): Image id in both tables
            -> (classes that only a gives it, classes that only b gives it).
        counts (dict[int, tuple[int, int]]): Class index -> number of the
            changed images that have it (only in a, only in b).
        num_common (int): Number of images in both tables.
        classes (tuple[str, ...], optional): Names of the classes.
    """

    only_in_a: tuple[str, ...]
    only_in_b: tuple[str, ...]
    changed: dict[str, tuple[Indices, Indices]]
    counts: dict[int, tuple[int, int]]
    num_common: int
    classes: tuple[str, ...] | None = None

    @property
    def equal(self) -> bool:
        """Whether both tables hold the same labels of the same images."""
        return not (self.only_in_a or self.only_in_b or self.changed)


def diff_labels(a: LabelTable, b: LabelTable) -> LabelDiff:
    """Compare two label tables.

    Args:
        a (LabelTable): One table.
        b (LabelTable): The other one. Class indices of both must mean the
            same.

    Returns:
        LabelDiff: What differs.

    Raises:
        ValueError: Both tables have class names, and not the same.
    """
    if a.classes and b.classes and a.classes != b.classes:
        raise ValueError(
            'the two sources have different class names, so their indices '
            f'cannot be compared: {a.classes} and {b.classes}; read both '
            'with the same `classes` (convert_labels.py: --classes)'
        )
    common = a.labels.keys() & b.labels.keys()
    changed = {}
    count_a, count_b = Counter(), Counter()
    for name in sorted(common):
        in_a, in_b = set(a.labels[name]), set(b.labels[name])
        if in_a != in_b:
            extra = sorted(in_a - in_b), sorted(in_b - in_a)
            changed[name] = tuple(map(tuple, extra))
            count_a.update(extra[0])
            count_b.update(extra[1])
    return LabelDiff(
        only_in_a=tuple(sorted(a.labels.keys() - common)),
        only_in_b=tuple(sorted(b.labels.keys() - common)),
        changed=changed,
        counts={
            index: (count_a[index], count_b[index])
            for index in sorted(count_a | count_b)
        },
        num_common=len(common),
        classes=a.classes or b.classes,
    )


def _counts_table(diff: LabelDiff, names: Sequence[str]) -> Table:
    table = Table(
        'class',
        Column('only in A', justify='right'),
        Column('only in B', justify='right'),
        title='Labels of common images that only one source has',
    )
    for index, counts in diff.counts.items():
        table.add_row(names[index], *map(str, counts))
    table.add_section()
    totals = map(sum, zip(*diff.counts.values(), strict=True))
    table.add_row('all', *map(str, totals))
    return table


def print_diff(diff: LabelDiff, names: tuple[str, str]) -> None:
    """Print a summary, a table per class and the first changed images.

    Args:
        diff (LabelDiff): What :func:`diff_labels` found.
        names (tuple[str, str]): What A and B are, e.g. their paths.
    """
    print(f'A: {names[0]}\nB: {names[1]}')
    print(
        f'{diff.num_common} images in both, {len(diff.changed)} of them with '
        f'other labels'
    )
    for side, only in (('A', diff.only_in_a), ('B', diff.only_in_b)):
        if only:
            print(
                f'{len(only)} images only in {side}: {name_some(only, LISTED)}'
            )
    if diff.equal:
        print('the labels are equal')
    if not diff.changed:
        return
    classes = diff.classes or [str(i) for i in range(max(diff.counts) + 1)]
    Console().print(_counts_table(diff, classes))
    for image_id in list(diff.changed)[:LISTED]:
        signs = [
            f'{sign}{classes[index]}'
            for sign, extra in zip('-+', diff.changed[image_id], strict=True)
            for index in extra
        ]
        print(f'{image_id}: {" ".join(signs)}')
    if len(diff.changed) > LISTED:
        print(f'... and {len(diff.changed) - LISTED} more images')
