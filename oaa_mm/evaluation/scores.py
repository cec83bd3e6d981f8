"""IoU, precision and recall from counted pixels."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oaa_mm.checks import check_choice

#: Treatments of pixels that a label marks 255; see `confusion_scores`.
LABEL_POLICIES = ('drop', 'background', 'error')


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of each class at T thresholds; labels have one (T = 1).

    Rows are background, then the C foreground classes. Attention maps have
    T = 256 columns, the levels of a uint8 threshold. A score is NaN where it
    is 0 / 0: the IoU of a class that is neither in the masks nor predicted,
    the precision of a class that is not predicted, the recall of a class that
    the masks lack.

    Args:
        iou (np.ndarray): (C + 1, T) intersection over union.
        precision (np.ndarray): (C + 1, T).
        recall (np.ndarray): (C + 1, T).
        occurs (np.ndarray): (C + 1,) bool, whether the masks hold the class.
            Every mean is over these classes.
        any_precision (np.ndarray): (T,) precision of "some class" against
            background, whichever the class.
        any_recall (np.ndarray): (T,) recall of "some class".
    """

    iou: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    occurs: np.ndarray
    any_precision: np.ndarray
    any_recall: np.ndarray

    @property
    def thresholds(self) -> np.ndarray:
        """(T,) thresholds in [0, 1]."""
        count = self.iou.shape[1]
        return np.arange(count) / max(count - 1, 1)

    @property
    def miou(self) -> np.ndarray:
        """(T,) mean IoU over occurring classes, background included."""
        return _mean(self.iou[self.occurs])

    @property
    def best_level(self) -> int:
        """The column of the highest mIoU; the lowest one of several."""
        return int(self.miou.argmax())

    @property
    def best_threshold(self) -> float:
        """The threshold of the highest mIoU."""
        return float(self.thresholds[self.best_level])

    def means(self) -> dict[str, np.ndarray]:
        """The means over classes at every threshold.

        Returns:
            dict[str, np.ndarray]: (T,) arrays ``mIoU`` with background;
            ``fg_mIoU``, ``precision`` and ``recall``, means over the
            foreground classes that have one; ``any_precision`` and
            ``any_recall``, whichever the class.
        """
        foreground = self.occurs.copy()
        foreground[0] = False
        return {
            'mIoU': self.miou,
            'fg_mIoU': _mean(self.iou[foreground]),
            'precision': _mean(self.precision[foreground]),
            'recall': _mean(self.recall[foreground]),
            'any_precision': self.any_precision,
            'any_recall': self.any_recall,
        }

    def best(self) -> dict[str, float]:
        """The means at the best threshold."""
        level = self.best_level
        return {name: float(row[level]) for name, row in self.means().items()}

    def sweep(self) -> dict[str, np.ndarray]:
        """The means at every threshold.

        Returns:
            dict[str, np.ndarray]: (T,) arrays, ``threshold`` and those of
            :meth:`means`.
        """
        return {'threshold': self.thresholds, **self.means()}

    def per_class(
        self, class_names: Sequence[str]
    ) -> dict[str, dict[str, float]]:
        """The scores of each class at the best threshold.

        Args:
            class_names (Sequence[str]): Names of the C foreground classes.

        Returns:
            dict[str, dict[str, float]]: ``background`` and the classes ->
            ``iou``, ``precision`` and ``recall``.
        """
        scores = np.stack([self.iou, self.precision, self.recall])
        rows = scores[..., self.best_level].T.tolist()
        names = ['background', *class_names]
        return {
            name: {'iou': iou, 'precision': precision, 'recall': recall}
            for name, (iou, precision, recall) in zip(names, rows, strict=True)
        }


def confusion_scores(matrix: np.ndarray, policy: str) -> Scores:
    """Scores of labels, with their 255 treated openly.

    The meaning of 255 in a label is a choice that moves mIoU by tenths:

    - ``drop``: the pixel leaves the statistics. This flatters labels that
      skip the hard parts, yet it is what training on them sees.
    - ``background``: the pixel counts as labelled background.
    - ``error``: the pixel is missed (a false negative of its true class) and
      is no false positive of any.

    Args:
        matrix (np.ndarray): (C + 1, C + 2), a sum of
            :func:`~oaa_mm.evaluation.counts.label_matrix`.
        policy (str): One of :data:`LABEL_POLICIES`.

    Returns:
        Scores: One column. A class of which ``'drop'`` leaves no pixel still
        occurs, with recall NaN and IoU 0 or NaN, which leaves the mean.

    Raises:
        ValueError: The policy is unknown, or the matrix counts no pixel.
    """
    check_choice('the policy for labels of 255', policy, LABEL_POLICIES)
    matrix = np.asarray(matrix)
    confusion, ignored = matrix[:, :-1].copy(), matrix[:, -1]
    if policy == 'background':
        confusion[:, 0] += ignored
    missed = ignored if policy == 'error' else 0
    labelled = confusion.sum(1) + missed
    return _scores(confusion[..., None], labelled, occurs=matrix.any(1))


def sweep_scores(histogram: np.ndarray) -> Scores:
    """Scores of attention at all 256 levels.

    Args:
        histogram (np.ndarray): (C + 1, C, 256), a sum of
            :func:`~oaa_mm.evaluation.counts.attention_histogram`.

    Returns:
        Scores: A column for each level.

    Raises:
        ValueError: The histogram counts no pixel.
    """
    pixels = histogram.sum((1, 2))
    counts = histogram.copy()
    counts[..., 0] = 0  # a value of zero is background at every level
    # called[g, k, T]: pixels of mask value g that are labelled k + 1.
    called = counts[..., ::-1].cumsum(-1)[..., ::-1]
    background = pixels[:, None] - called.sum(1)
    confusion = np.concatenate([background[:, None], called], axis=1)
    return _scores(confusion, pixels, occurs=pixels > 0)


def _scores(
    confusion: np.ndarray, labelled: np.ndarray, *, occurs: np.ndarray
) -> Scores:
    """Scores of (C + 1, C + 1, T) pixels; (C + 1,) are to be found."""
    if not occurs.any():
        raise ValueError(
            'the masks hold no pixel to compare with: check the list of '
            'images, and whether every mask is all 255'
        )
    labelled = labelled[:, None]
    hits, found = np.einsum('iit->it', confusion), confusion.sum(0)
    any_hits = confusion[1:, 1:].sum((0, 1))
    with np.errstate(invalid='ignore'):  # 0 / 0 is NaN
        return Scores(
            iou=hits / (labelled + found - hits),
            precision=hits / found,
            recall=hits / labelled,
            occurs=occurs,
            any_precision=any_hits / found[1:].sum(0),
            any_recall=any_hits / labelled[1:].sum(0),
        )


def _mean(rows: np.ndarray) -> np.ndarray:
    """Mean over the classes that have a score; NaN where none has."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)
        return np.nanmean(rows, axis=0)
