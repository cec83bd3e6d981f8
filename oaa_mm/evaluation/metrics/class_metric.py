"""What metrics of foreground classes have in common."""

from __future__ import annotations

from typing import Any

from mmengine.evaluator import BaseMetric


class ClassMetric(BaseMetric):
    """A metric that knows the foreground classes.

    Args:
        num_classes (int, optional): The number of foreground classes.
            Defaults to None: the length of the data set's ``classes``.
        **kwargs: Further arguments of :class:`mmengine.BaseMetric`.
    """

    def __init__(self, num_classes: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = num_classes

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes; ``class 0`` and so on where none are known.

        Raises:
            ValueError: Neither config nor data set tells the classes, or they
                contradict each other.
        """
        name = type(self).__name__
        known = tuple((self.dataset_meta or {}).get('classes') or ())
        if self.num_classes is None and not known:
            raise ValueError(
                f'{name} does not know the classes: give it `num_classes`, or '
                'give the data set `metainfo=dict(classes=...)`'
            )
        if not known:
            return tuple(f'class {index}' for index in range(self.num_classes))
        if self.num_classes not in (None, len(known)):
            raise ValueError(
                f'{name} got num_classes={self.num_classes}, but the data set '
                f'has {len(known)} classes: {", ".join(known)}. Background is '
                'not one of them.'
            )
        return known
