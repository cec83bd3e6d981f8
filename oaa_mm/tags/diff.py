"""Comparing two sources of labels, image by image."""

from collections import Counter
from dataclasses import dataclass

from .table import LabelTable

Indices = tuple[int, ...]


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
    count_a: Counter[int] = Counter()
    count_b: Counter[int] = Counter()
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
