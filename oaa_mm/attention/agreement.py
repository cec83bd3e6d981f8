"""Maps of OAA+ and their targets: how well they agree, and their mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oaa_mm.checks import check_number
from oaa_mm.io.progress import progress

from .by_image import MapsByImage
from .place import Placement, from_frame

#: The least soft IoU of OAA+'s maps with their targets that is trusted,
#: between those of trainings that had learnt or not (docs/results.md).
MIN_SOFT_IOU = 0.58


def agreement_sums(maps: Tensor, targets: Tensor) -> Tensor:
    """The sums of which an :class:`Agreement` is made, on the maps' device.

    Args:
        maps (Tensor): uint8 attention maps of labelled pairs, any shape.
        targets (Tensor): uint8 targets of the same pairs, of that shape.

    Returns:
        Tensor: (3,) int64, the sums of min(maps, targets), of the maps and of
        the targets. Those of several batches are added.
    """
    both = torch.minimum(maps, targets)
    return torch.stack([part.sum() for part in (both, maps, targets)])


@dataclass(frozen=True)
class Agreement:
    """Agreement of attention maps with their targets.

    Both are uint8 maps of labelled (image, class) pairs, normalised as they
    are stored, and all of their positions count alike.

    Args:
        both (int): Sum of min(map, target) over all positions.
        maps (int): Sum of the maps.
        targets (int): Sum of the targets.
    """

    both: int
    maps: int
    targets: int

    @property
    def soft_iou(self) -> float:
        """Sum of min(map, target) / sum of max(map, target), in [0, 1]."""
        return self.both / max(self.maps + self.targets - self.both, 1)

    @property
    def coverage_ratio(self) -> float:
        """Sum of the maps / sum of the targets; 1 where both cover alike."""
        return self.maps / max(self.targets, 1)

    def __str__(self) -> str:
        return (
            f'soft IoU of the maps with their targets {self.soft_iou:.3f}, '
            f'ratio of their coverages {self.coverage_ratio:.2f}'
        )

    def judge(self, min_soft_iou: float = MIN_SOFT_IOU) -> dict[str, Any]:
        """The numbers as a manifest records them, with a verdict.

        Args:
            min_soft_iou (float): The least soft IoU that is trusted, in
                [0, 1]. Defaults to ``MIN_SOFT_IOU``.

        Returns:
            dict[str, Any]: ``soft_iou``, ``coverage_ratio`` and
            ``min_soft_iou``; and where the soft IoU is lower, ``warning``: a
            sentence that names the numbers and the remedy.

        Raises:
            ValueError: `min_soft_iou` is out of its range.
        """
        check_number('min_soft_iou', min_soft_iou, low=0, high=1)
        verdict = {
            'soft_iou': round(self.soft_iou, 4),
            'coverage_ratio': round(self.coverage_ratio, 4),
            'min_soft_iou': min_soft_iou,
        }
        if self.soft_iou < min_soft_iou:
            verdict['warning'] = (
                f'OAA+ reproduces its targets poorly: {self}, but the soft '
                f'IoU should be at least {min_soft_iou:g}. Its maps are '
                'probably worse than their targets. It needs more '
                'iterations: raise train_cfg.max_epochs (and '
                'param_scheduler.end) or '
                'train_dataloader.batch_sampler.min_iters of its training'
            )
        return verdict


def agreement_of_stores(maps: MapsByImage, targets: MapsByImage) -> Agreement:
    """Agreement of a store with that of its targets.

    Args:
        maps (MapsByImage): The store of OAA+'s maps.
        targets (MapsByImage): The accumulated maps that it was trained on.

    Returns:
        Agreement: Of the pairs that both hold; a map of another size is
        brought to the grid of its target.

    Raises:
        ValueError: They have no pair in common.
    """
    sums = torch.zeros(3, dtype=torch.int64)
    pairs = [pair for pair in targets if pair in maps]
    if not pairs:
        raise ValueError(
            'the store of maps and that of targets have no (image, class) '
            'pair in common; they should be of the same images'
        )
    for pair in progress(pairs, 'Agreement'):
        target = targets[pair]
        attention = _on_grid(maps[pair], target.shape)
        sums += agreement_sums(*map(torch.tensor, (attention, target)))
    return Agreement(*sums.tolist())


def average_with_targets(
    maps: Mapping[int, np.ndarray], targets: Mapping[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """The mean of the maps of OAA+ and of the targets that it learnt from.

    OAA+ smooths out what single images have wrong, its targets are tighter
    around objects. Labels of their mean were better than those of the targets
    in every training that had learnt, by ``'power'`` (docs/results.md).

    Args:
        maps (Mapping[int, np.ndarray]): Class -> (h, w) uint8 map of OAA+.
        targets (Mapping[int, np.ndarray]): Class -> uint8 accumulated map of
            the same image.

    Returns:
        dict[int, np.ndarray]: Class -> uint8 mean on the grid of the target;
        the map itself of a class that has no target, because its attention
        was never accepted.
    """
    means = dict(maps)
    for index in means.keys() & targets.keys():
        target = targets[index].astype(np.uint16)
        total = _on_grid(maps[index], target.shape) + target
        means[index] = ((total + 1) // 2).astype(np.uint8)
    return means


def _on_grid(attention: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    return from_frame(attention, Placement(frame=grid), grid)
