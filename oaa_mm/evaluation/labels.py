"""Pseudo-labels against masks, with 255 in the labels treated openly.

All scores come from one matrix ``H[g, p]``: the number of pixels with mask
value g (0 background, c + 1 class c) and label p, whose last column is 255.
Pixels that the *mask* marks 255 are never counted. What a 255 in the *label*
means is a choice that moves mIoU by tenths, so every choice is computed:

- ``drop``: the pixel leaves the statistics. Flatters labels that skip the
  hard parts, yet it is what training on them sees.
- ``background``: the pixel counts as labelled background.
- ``error``: the pixel is missed (a false negative of its true class) and is
  no false positive of any.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oaa_mm.checks import check_choice

from .scores import json_number

#: What becomes of pixels that the label marks 255.
LABEL_POLICIES = ('drop', 'background', 'error')
IGNORE_INDEX = 255


def label_matrix(
    label: np.ndarray, mask: np.ndarray, num_classes: int
) -> np.ndarray:
    """Count the pixels of one image.

    Args:
        label (np.ndarray): (H, W) uint8: 0 background, c + 1 class c, 255
            ignored.
        mask (np.ndarray): (H, W) uint8 likewise; its 255 are dropped.
        num_classes (int): The number C of foreground classes.

    Returns:
        np.ndarray: (C + 1, C + 2) int64, mask values x labels; the last
        column counts labels of 255.

    Raises:
        ValueError: Sizes differ, or a value is no class.
    """
    if label.shape != mask.shape:
        raise ValueError(
            f'the label is {label.shape} (H, W), but the mask is {mask.shape}'
        )
    keep = mask != IGNORE_INDEX
    truth = mask[keep].astype(np.int64)
    found = label[keep].astype(np.int64)
    ignored = found == IGNORE_INDEX
    for name, values in (('mask', truth), ('label', found[~ignored])):
        if values.size and values.max() > num_classes:
            raise ValueError(
                f'the {name} holds the value {values.max()}, but '
                f'{num_classes} classes allow 0..{num_classes} and 255'
            )
    found[ignored] = num_classes + 1
    shape = (num_classes + 1, num_classes + 2)
    joint = truth * shape[1] + found
    return np.bincount(joint, minlength=math.prod(shape)).reshape(shape)


@dataclass(frozen=True, eq=False)
class LabelScores:
    """Scores under one policy; rows are background, then the classes.

    A score is NaN where it is 0 / 0.

    Args:
        iou (np.ndarray): (C + 1,) intersection over union.
        precision (np.ndarray): (C + 1,).
        recall (np.ndarray): (C + 1,).
        occurs (np.ndarray): (C + 1,) bool, whether the masks hold the class,
            under any label. Every mean is over these classes.
    """

    iou: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    occurs: np.ndarray

    @property
    def miou(self) -> float:
        """Mean IoU over occurring classes, background included."""
        return _mean(self.iou[self.occurs])

    def summary(self) -> dict[str, float]:
        """The means.

        Returns:
            dict[str, float]: ``mIoU`` with background; ``fg_mIoU``,
            ``precision`` and ``recall`` of the foreground classes.
        """
        foreground = self.occurs.copy()
        foreground[0] = False
        return {
            'mIoU': self.miou,
            'fg_mIoU': _mean(self.iou[foreground]),
            'precision': _mean(self.precision[foreground]),
            'recall': _mean(self.recall[foreground]),
        }

    def to_dict(self, class_names: Sequence[str]) -> dict[str, object]:
        """Everything as plain types for JSON; NaN becomes None.

        Args:
            class_names (Sequence[str]): Names of the C foreground classes.

        Returns:
            dict[str, object]: The means, and ``per_class``.
        """
        means = {n: json_number(v) for n, v in self.summary().items()}
        per_class = {
            name: {
                'iou': json_number(self.iou[row]),
                'precision': json_number(self.precision[row]),
                'recall': json_number(self.recall[row]),
            }
            for row, name in enumerate(['background', *class_names])
        }
        return {**means, 'per_class': per_class}


def label_scores(matrix: np.ndarray, policy: str) -> LabelScores:
    """Scores of a matrix under a policy for labels of 255.

    Args:
        matrix (np.ndarray): (C + 1, C + 2) sum of :func:`label_matrix`.
        policy (str): One of :data:`LABEL_POLICIES`.

    Returns:
        LabelScores: The scores. A class of which ``'drop'`` leaves no pixel
        still occurs, with recall NaN and IoU 0 or NaN, which leaves the mean.

    Raises:
        ValueError: The policy is unknown.
    """
    check_choice('the policy for labels of 255', policy, LABEL_POLICIES)
    matrix = np.asarray(matrix, np.float64)
    counted, ignored = matrix[:, :-1].copy(), matrix[:, -1]
    truth = counted.sum(1)
    if policy == 'background':
        counted[:, 0] += ignored
    if policy != 'drop':
        truth = truth + ignored
    hits, found = np.diag(counted), counted.sum(0)
    with np.errstate(invalid='ignore'):
        return LabelScores(
            iou=hits / (truth + found - hits),
            precision=hits / found,
            recall=hits / truth,
            occurs=matrix.sum(1) > 0,
        )


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else math.nan
