"""The base of metrics of foreground classes."""

from mmengine.evaluator import BaseMetric


class ClassMetric(BaseMetric):
    """A metric that knows the foreground classes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of the data set.

        Raises:
            ValueError: The data set names none.
        """
        names = tuple((self.dataset_meta or {}).get('classes') or ())
        if not names:
            raise ValueError(
                f'{type(self).__name__} does not know the classes: give the '
                'data set `metainfo=dict(classes=...)`'
            )
        return names
