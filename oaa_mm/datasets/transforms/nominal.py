"""Which size has the whole image when nothing is drawn at random?

The maps of an image are fused on one grid, so the size of its frame has to
be the same in every epoch, whatever scale or crop was drawn.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
from mmcv.transforms import RandomResize, Resize
from mmseg.datasets.transforms import ResizeShortestEdge, ResizeToMultiple

__all__ = ['RESIZES', 'draws_scale', 'flatten', 'resized', 'size_after']

#: Transforms that only resize, always alike.
RESIZES = (Resize, ResizeShortestEdge, ResizeToMultiple)
#: Transforms that draw something at random, but never a scale.
_SCALE_KEEPERS = ('RandomCrop', 'RandomCutOut', 'RandomFlip')


def flatten(transform: Callable) -> Iterator[Callable]:
    """A transform and those that it wraps (RandomApply, RandomChoice, ...).

    Args:
        transform (Callable): A transform of a pipeline.

    Yields:
        Callable: The transform itself first.
    """
    yield transform
    wrapped = getattr(transform, 'transforms', None)
    for inner in wrapped if isinstance(wrapped, (list, tuple)) else [wrapped]:
        if callable(inner):
            yield from flatten(inner)


def draws_scale(transform: Callable) -> bool:
    """Whether a transform may resize an image differently in each epoch.

    Args:
        transform (Callable): A transform of a pipeline.

    Returns:
        bool: Told by the names, which begin with `Random` in mmcv and mmseg.
    """
    names = [type(inner).__name__ for inner in flatten(transform)]
    return any(
        name.startswith('Random') and name not in _SCALE_KEEPERS
        for name in names
    )


def resized(transform: Callable, size: tuple[int, int]) -> tuple[int, int]:
    """Size of an image after a resize.

    Args:
        transform (Callable): One of ``RESIZES``.
        size (tuple[int, int]): Height and width before.

    Returns:
        tuple[int, int]: Height and width after.
    """
    results = {'img': np.zeros(size, np.uint8), 'img_shape': size}
    return transform(results)['img'].shape[:2]


def size_after(
    transform: Callable, frame: tuple[int, int], *, drawn: bool
) -> tuple[int, int] | None:
    """Size of the frame after a transform, as far as it needs no looking.

    Args:
        transform (Callable): A transform of a pipeline.
        frame (tuple[int, int]): Height and width of the frame before.
        drawn (bool): Whether an earlier transform drew a scale.

    Returns:
        tuple[int, int] | None: Height and width; None where the frame follows
        from what the transform did to the image, the same in all epochs.
    """
    if isinstance(transform, RandomResize) and _has_base_scale(transform):
        resize = copy.copy(transform.resize)
        resize.scale = transform.scale
        return resized(resize, frame)
    if draws_scale(transform):
        return frame
    if drawn:
        return resized(transform, frame) if _only_resizes(transform) else frame
    return None


def _has_base_scale(transform: RandomResize) -> bool:
    """Whether ratios are drawn, not scales between two of them."""
    return bool(transform.ratio_range) and isinstance(transform.scale[0], int)


def _only_resizes(transform: Callable) -> bool:
    return isinstance(transform, RESIZES)
