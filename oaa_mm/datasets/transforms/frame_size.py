"""The size of the whole image when nothing is drawn at random.

The maps of an image are fused on one grid, so the size of its frame has to
be the same in every epoch, whatever scale or crop was drawn.
"""

import copy
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from mmcv.transforms import RandomChoiceResize, RandomResize, Resize
from mmseg.datasets.transforms import ResizeShortestEdge, ResizeToMultiple

#: Transforms that only resize, always alike.
RESIZES = (Resize, ResizeShortestEdge, ResizeToMultiple)
#: Transforms that draw something at random, but never a scale.
_SCALE_KEEPERS = ('RandomCrop', 'RandomCutOut', 'RandomFlip')


def iterate_transforms(transform: Callable) -> Iterator[Callable]:
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
            yield from iterate_transforms(inner)


def draws_scale(transform: Callable) -> bool:
    """Whether a transform may resize an image differently in each epoch.

    Args:
        transform (Callable): A transform of a pipeline.

    Returns:
        bool: Told by the names, which begin with `Random` in mmcv and mmseg.
    """
    names = [type(inner).__name__ for inner in iterate_transforms(transform)]
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


def resized_by_all(
    transforms: Iterable[Callable], size: tuple[int, int]
) -> tuple[int, int]:
    """Size of an image after those transforms of a pipeline that resize.

    Args:
        transforms (Iterable[Callable]): A pipeline.
        size (tuple[int, int]): Height and width before.

    Returns:
        tuple[int, int]: Height and width after.
    """
    for transform in transforms:
        if isinstance(transform, RESIZES):
            size = resized(transform, size)
    return size


def size_after(
    transform: Callable, frame: tuple[int, int], *, drawn: bool
) -> tuple[int, int] | None:
    """Size of the frame after a transform, if the transform alone tells it.

    Args:
        transform (Callable): A transform of a pipeline.
        frame (tuple[int, int]): Height and width of the frame before.
        drawn (bool): Whether an earlier transform drew a scale.

    Returns:
        tuple[int, int] | None: Height and width; None where the frame follows
        from what the transform did to the image, the same in all epochs.
    """
    if isinstance(transform, (RandomResize, RandomChoiceResize)):
        resize = copy.copy(transform.resize)
        resize.scale = frame_scale(transform)
        return resized(resize, frame)
    if draws_scale(transform):
        return frame
    if drawn:
        return resized_by_all([transform], frame)
    return None


def frame_scale(
    transform: RandomResize | RandomChoiceResize,
) -> int | tuple[int, int]:
    """The scale that stands for all those which a transform may draw.

    Args:
        transform (RandomResize | RandomChoiceResize): One of mmcv's.

    Returns:
        int | tuple[int, int]: In the form of the transform's own scales: the
        scale of ratio 1 of `RandomResize`, or the mean of its two scales; the
        middle one of the `scales` of `RandomChoiceResize` by size, the larger
        one of two in the middle.
    """
    if isinstance(transform, RandomChoiceResize):
        ordered = sorted(transform.scales, key=_scale_size)
        return ordered[len(ordered) // 2]
    if isinstance(transform.scale[0], int):
        return transform.scale
    low, high = transform.scale
    return (low[0] + high[0]) // 2, (low[1] + high[1]) // 2


def _scale_size(scale: int | tuple[int, int]) -> tuple[int, ...]:
    """The key by which scales are sorted."""
    sides = (scale, scale) if isinstance(scale, int) else scale
    return (sides[0] * sides[1], *sides)
