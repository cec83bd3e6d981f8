"""How well the classifier knows which classes an image holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log

from oaa_mm.attention import accept_pairs
from oaa_mm.checks import require
from oaa_mm.evaluation.tables import class_table
from oaa_mm.registry import METRICS

from .class_metric import ClassMetric


@METRICS.register_module()
class MultiLabelMetric(ClassMetric):
    """Mean average precision of image-level class scores.

    Data samples are dicts with ``pred_score``, (C,) scores of which higher is
    surer, and ``gt_label``, (C,) labels 0 or 1.

    The metrics, in percent: ``mAP``, the mean of the classes' average
    precisions (area under the precision-recall curve, not interpolated)
    without classes that no image holds; and ``top_k_accept``, the share of
    (image, class) pairs whose class is among the K highest scores of the
    image with its K labels: the pairs that an `AttentionAccumulator` with
    ``acceptance='topk'`` would accept.

    Args:
        **kwargs: Further arguments of :class:`mmengine.BaseMetric`.
    """

    default_prefix = 'cls'

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the images of a batch to the results.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): See the class.

        Raises:
            ValueError: A sample lacks a field, or one of another length than
                there are classes.
        """
        num_classes = len(self.class_names)
        for sample in data_samples:
            fields = [
                _field(sample, name, num_classes)
                for name in ('pred_score', 'gt_label')
            ]
            self.results.append(tuple(fields))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Print a table of the classes and return the metrics.

        Args:
            results (list): The entries that `process` stored.

        Returns:
            dict[str, float]: ``mAP`` and ``top_k_accept`` in percent.

        Raises:
            ValueError: No image holds any class, or a score is NaN.
        """
        scores, labels = map(np.stack, zip(*results, strict=True))
        labels = labels > 0
        if not labels.any():
            raise ValueError(
                f'none of the {len(labels)} images has a label, so there is '
                'no mAP; check the labels of the validation data set'
            )
        pairs = zip(scores.T, labels.T, strict=True)
        precisions = [average_precision(*pair) for pair in pairs]
        accepted = accept_pairs(
            torch.from_numpy(scores), torch.from_numpy(labels)
        ).numpy()
        with np.errstate(invalid='ignore'):  # 0 / 0: no image holds the class
            shares = accepted.sum(0) / labels.sum(0)
        columns = zip(self.class_names, precisions, shares, strict=True)
        rows = {n: {'AP': ap, 'top_k_accept': s} for n, ap, s in columns}
        print_log(
            f'image-level scores of {len(labels)} images, per class:\n'
            f'{class_table(rows)}',
            logger='current',
        )
        share = accepted.sum() / labels.sum()
        return {
            'mAP': round(100 * float(np.nanmean(precisions)), 2),
            'top_k_accept': round(100 * float(share), 2),
        }


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
        ValueError: A score is NaN.
    """
    scores, targets = np.asarray(scores), np.asarray(targets) > 0
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


def _field(
    sample: Mapping[str, Any], name: str, num_classes: int
) -> np.ndarray:
    """(C,) values of a field, on the CPU."""
    image = sample.get('img_path') or sample.get('image_id') or 'an image'
    field = require(
        sample,
        name,
        needed_by='MultiLabelMetric',
        remedy='`pred_score` comes from a classifier such as '
        'oaa_mm.CAMClassifier and `gt_label` from a data set with labels',
    )
    values = field.detach().float().cpu().numpy()
    if values.shape != (num_classes,):
        raise ValueError(
            f'{image}: `{name}` has shape {values.shape}, but there are '
            f'{num_classes} classes'
        )
    return values
