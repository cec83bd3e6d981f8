"""The result of a threshold sweep: scores of each class at each level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oaa_mm.checks import check_number

#: Values of a uint8 attention map, each of which is a threshold.
NUM_LEVELS = 256


def threshold_level(threshold: float) -> int:
    """The lowest level T in 0..255 whose pixels satisfy v >= 255 threshold.

    Args:
        threshold (float): A threshold in [0, 1].

    Returns:
        int: ceil(255 threshold); thresholds T / 255 give T itself.

    Raises:
        ValueError: `threshold` is outside [0, 1].
    """
    check_number('a threshold', threshold, low=0, high=1)
    # T / 255 * 255 may come out a hair above T.
    return math.ceil(threshold * (NUM_LEVELS - 1) - 1e-9)


def recall_at_precision(
    precision: np.ndarray, recall: np.ndarray, target: float
) -> float:
    """The highest recall among thresholds with at least a given precision.

    This compares two curves at one operating point: which attention covers
    more of the objects at equal purity?

    Args:
        precision (np.ndarray): (T,) precision at each threshold; NaN where
            nothing was predicted, which never reaches the target.
        recall (np.ndarray): (T,) recall at the same thresholds.
        target (float): The precision to reach, in [0, 1].

    Returns:
        float: Recall in [0, 1], or NaN when no threshold reaches `target`.
    """
    reached = recall[precision >= target]
    return float(reached.max()) if reached.size else math.nan


def json_number(value: float) -> float | None:
    """`value` as a plain float; None, JSON's null, for NaN."""
    return None if math.isnan(value) else float(value)


def _mean(rows: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not NaN; NaN where all is."""
    valid = ~np.isnan(rows)
    count = valid.sum(0)
    total = np.where(valid, rows, 0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, eq=False)
class AttentionScores:
    """Scores of attention maps at the 256 levels of a uint8 threshold.

    Rows are background, then the C foreground classes; columns are levels.
    A score is NaN where it is 0 / 0: the IoU of a class that is neither in
    the masks nor predicted, the precision of a class that is not predicted,
    the recall of a class that the masks lack.

    Args:
        iou (np.ndarray): (C + 1, 256) intersection over union.
        precision (np.ndarray): (C + 1, 256).
        recall (np.ndarray): (C + 1, 256).
        occurs (np.ndarray): (C + 1,) bool, whether the masks hold the class.
            Every mean is over these classes.
        foreground_precision (np.ndarray): (256,) precision of "some class"
            against background, whichever the class.
        foreground_recall (np.ndarray): (256,) likewise.
    """

    iou: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    occurs: np.ndarray
    foreground_precision: np.ndarray
    foreground_recall: np.ndarray

    def _foreground(self, rows: np.ndarray) -> np.ndarray:
        return _mean(rows[1:][self.occurs[1:]])

    @property
    def miou(self) -> np.ndarray:
        """(256,) mean IoU over occurring classes, background included."""
        return _mean(self.iou[self.occurs])

    @property
    def foreground_miou(self) -> np.ndarray:
        """(256,) mean IoU over occurring classes, without background."""
        return self._foreground(self.iou)

    @property
    def macro_precision(self) -> np.ndarray:
        """(256,) mean precision of occurring foreground classes.

        A class that is not predicted at a level has no precision there and is
        left out of the mean.
        """
        return self._foreground(self.precision)

    @property
    def macro_recall(self) -> np.ndarray:
        """(256,) mean recall of occurring foreground classes."""
        return self._foreground(self.recall)

    @property
    def best_level(self) -> int:
        """The level of the highest mIoU; the lowest one of several."""
        return int(self.miou.argmax())

    @property
    def best_threshold(self) -> float:
        """The threshold ``best_level / 255``."""
        return self.best_level / (NUM_LEVELS - 1)

    def curves(self) -> dict[str, np.ndarray]:
        """The summary scores at every level.

        Returns:
            dict[str, np.ndarray]: (256,) arrays ``threshold``, ``mIoU``,
            ``fg_mIoU``, ``precision`` and ``recall`` (macro),
            ``any_precision`` and ``any_recall`` (whichever the class).
        """
        return {
            'threshold': np.arange(NUM_LEVELS) / (NUM_LEVELS - 1),
            'mIoU': self.miou,
            'fg_mIoU': self.foreground_miou,
            'precision': self.macro_precision,
            'recall': self.macro_recall,
            'any_precision': self.foreground_precision,
            'any_recall': self.foreground_recall,
        }

    def at(self, level: int) -> dict[str, float]:
        """The summary scores at one level.

        Args:
            level (int): 0..255.

        Returns:
            dict[str, float]: A value of each of :meth:`curves`.
        """
        return {name: float(row[level]) for name, row in self.curves().items()}

    def best(self) -> dict[str, float]:
        """The summary scores at the best level."""
        return self.at(self.best_level)

    def to_dict(self, class_names: Sequence[str]) -> dict[str, object]:
        """Everything as plain types for JSON; NaN becomes None.

        Args:
            class_names (Sequence[str]): Names of the C foreground classes.

        Returns:
            dict[str, object]: ``best``, ``per_class`` (at the best level) and
            ``sweep`` (lists over all 256 levels).
        """
        level = self.best_level
        best = {n: json_number(v) for n, v in self.best().items()}
        per_class = {
            name: {
                'iou': json_number(self.iou[row, level]),
                'precision': json_number(self.precision[row, level]),
                'recall': json_number(self.recall[row, level]),
            }
            for row, name in enumerate(['background', *class_names])
        }
        sweep = {
            name: [json_number(value) for value in row]
            for name, row in self.curves().items()
        }
        return {'best': best, 'per_class': per_class, 'sweep': sweep}
