"""The scores of a store, a folder of labels or a network."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .scores import Scores


@dataclass(frozen=True)
class Result:
    """The scores of one attention store, folder of labels or network.

    Scores are shares in [0, 1]; None stands for 0 / 0. A result is equal to
    the one that is read from the file that it was written to.

    Attributes:
        kind (str): ``'maps'``, ``'labels'`` or ``'network'``.
        name (str): The store or folder; empty for a file of
            ``tools/test.py``.
        means (Mapping[str, Mapping[str, float | None]]): Treatment of 255
            (``'drop'``, ``'background'``, ``'error'``), the main policy first
            -> name of a mean, such as ``mIoU`` -> share; of maps at their best
            threshold.
        per_class (Mapping[str, Mapping]): Policy -> class name -> ``iou``,
            ``precision`` and ``recall``.
        threshold (float | None): Where the mIoU of maps is highest.
        sweep (Mapping[str, Sequence[float | None]]): ``threshold`` and the
            means of maps at all thresholds; may be empty.
        coverage (float | None): Mean of all maps.
        missing_images (Sequence[str]): Images without any map, which count as
            all background.
        missing_pairs (int): (Image, class) pairs of the masks whose class has
            no map, among the other images.
        ignored (float | None): The share of pixels that are labelled 255.
        num_images (int): Images that were compared.
        num_pixels (int): Pixels that were compared.
    """

    kind: str
    name: str
    means: Mapping[str, Mapping[str, float | None]]
    per_class: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    threshold: float | None = None
    sweep: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    coverage: float | None = None
    missing_images: Sequence[str] = ()
    missing_pairs: int = 0
    ignored: float | None = None
    num_images: int = 0
    num_pixels: int = 0

    @classmethod
    def of_scores(
        cls,
        name: str,
        scores: Mapping[str, Scores],
        class_names: Sequence[str],
        **facts: Any,
    ) -> 'Result':
        """The result that scores make.

        Args:
            name (str): How tables call it.
            scores (Mapping[str, Scores]): Policy for 255 -> scores.
            class_names (Sequence[str]): Names of the C foreground classes.
            **facts: Further fields.

        Returns:
            Result: Of maps where the scores have several thresholds, else of
            labels.
        """
        main = next(iter(scores.values()))
        swept = len(main.thresholds) > 1
        rows = {p: s.per_class(class_names) for p, s in scores.items()}
        return cls(
            kind='maps' if swept else 'labels',
            name=name,
            means=_plain({p: s.best() for p, s in scores.items()}),
            per_class=_plain(rows),
            threshold=main.best_threshold if swept else None,
            sweep=_plain(main.sweep()) if swept else {},
            **facts,
        )

    @property
    def policy(self) -> str:
        """The main policy for 255."""
        return next(iter(self.means))

    @property
    def best(self) -> Mapping[str, float | None]:
        """The means under the main policy."""
        return self.means[self.policy]

    @property
    def class_ious(self) -> dict[str, float | None]:
        """The IoU of each class under the main policy."""
        rows = self.per_class[self.policy].items()
        return {name: row['iou'] for name, row in rows}


def recalls_at_first_precision(
    results: Sequence[Result],
) -> list[float | None]:
    """Recall of each store where it is as precise as the first one.

    The precision is the first store's mean precision at its best threshold.
    This compares curves at one operating point: which attention covers more
    of the objects at equal purity?

    Args:
        results (Sequence[Result]): The stores, the reference first.

    Returns:
        list[float | None]: The highest mean recall of each store among the
        thresholds with at least this precision; None if it has none.
    """
    # None becomes NaN here, which no precision reaches.
    target = float(np.array(results[0].best['precision'], float))
    recalls = []
    for result in results:
        precision = np.array(result.sweep['precision'], float)
        recall = np.array(result.sweep['recall'], float)
        reached = recall[precision >= target]
        recalls.append(_plain(reached.max()) if reached.size else None)
    return recalls


def _plain(value: Any) -> Any:
    """A value in JSON's types; None, JSON's null, stands for NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):  # numpy's float64 is one
        return None if math.isnan(value) else float(value)
    return value
