"""How well class scores rank the labels of an image."""

from __future__ import annotations

import numpy as np


def average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """Area under the precision-recall curve of one class, not interpolated.

    AP = sum over thresholds of (R_n - R_{n-1}) P_n. Equal scores share one
    threshold, so their order does not matter.

    Args:
        scores (np.ndarray): (N,) scores of the images, higher is surer.
        targets (np.ndarray): (N,) 1 where the image holds the class, else 0.

    Returns:
        float: AP in [0, 1], or NaN when no image holds the class.

    Raises:
        ValueError: The shapes differ or a score is NaN.
    """
    scores, targets = np.asarray(scores), np.asarray(targets) > 0
    if scores.shape != targets.shape or scores.ndim != 1:
        raise ValueError(
            'scores and targets should be (N,) arrays of one length, but got '
            f'{scores.shape} and {targets.shape}'
        )
    if np.isnan(scores).any():
        raise ValueError('scores hold NaN: did the training diverge?')
    if not targets.any():
        return float('nan')
    order = np.argsort(-scores, kind='stable')
    scores, hits = scores[order], targets[order].cumsum()
    # The last position of each group of equal scores.
    changes = np.flatnonzero(scores[1:] != scores[:-1])
    ends = np.append(changes, scores.size - 1)
    precision = hits[ends] / (ends + 1)
    gained = np.diff(hits[ends], prepend=0) / hits[-1]
    return float((gained * precision).sum())


def class_average_precisions(
    scores: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """Average precision of every class.

    Args:
        scores (np.ndarray): (N, C) scores.
        targets (np.ndarray): (N, C) labels, 0 or 1.

    Returns:
        np.ndarray: (C,) average precisions, NaN for a class with no positive.

    Raises:
        ValueError: See :func:`average_precision`.
    """
    pairs = zip(np.transpose(scores), np.transpose(targets), strict=True)
    return np.array([average_precision(*pair) for pair in pairs])
