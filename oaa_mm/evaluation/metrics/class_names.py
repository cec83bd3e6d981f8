"""Which classes a metric is about."""

from __future__ import annotations

from mmengine.evaluator import BaseMetric


def class_names_of(
    metric: BaseMetric, num_classes: int | None
) -> tuple[str, ...]:
    """Names of the foreground classes.

    Args:
        metric (BaseMetric): Its `dataset_meta` may name the classes.
        num_classes (int | None): The number of classes where the config gives
            it; the data set's names are used if there are as many.

    Returns:
        tuple[str, ...]: The names; ``class 0`` and so on where none are
        known.

    Raises:
        ValueError: Neither source tells the classes, or they contradict.
    """
    name = type(metric).__name__
    known = tuple((metric.dataset_meta or {}).get('classes') or ())
    if num_classes is None and not known:
        raise ValueError(
            f'{name} does not know the classes: give it `num_classes`, or '
            'give the data set `metainfo=dict(classes=...)`'
        )
    if not known:
        return tuple(f'class {index}' for index in range(num_classes))
    if num_classes is not None and num_classes != len(known):
        raise ValueError(
            f'{name} got num_classes={num_classes}, but the data set has '
            f'{len(known)} classes: {", ".join(known)}. Background is not '
            'one of them.'
        )
    return known
