"""The one form that image-level labels have in memory."""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import NamedTuple

import numpy as np
from mmengine.logging import print_log

from oaa_mm.checks import name_some
from oaa_mm.io import check_image_id, image_id_of

from .classes import normalize_classes

#: The message of a training that has none.
NO_LABELS = (
    'there are no image-level labels, which a classifier learns from: give '
    '`labels` (a VOC Annotations folder, list, npy, CSV, COCO JSON or folder '
    'of masks), or a list with lines `name c1 c2 ...`'
)
#: The message of a training where nothing names the classes.
NO_CLASSES = (
    'nothing names the classes; give a data set their names, for example '
    "metainfo=dict(classes=('cat', 'dog'))"
)


class ListedImage(NamedTuple):
    """The content of a line of a list.

    Attributes:
        image_id (str): The id, with the folders that belong to it.
        name (str): The name as it is listed.
        tags (tuple[int, ...] | None): Class indices; None where lines carry
            none.
    """

    image_id: str
    name: str
    tags: tuple[int, ...] | None = None


def normalize_labels(
    image_id: str, indices: Iterable[int], num_classes: int | None
) -> tuple[int, ...]:
    """Check an image's id and classes; the only check of their range.

    Args:
        image_id (str): The image.
        indices (Iterable[int]): Its class indices, 0-based.
        num_classes (int | None): The number of classes; None if unknown.

    Returns:
        tuple[int, ...]: The indices, sorted, without repetition.

    Raises:
        ValueError: The id could not be a file's, or an index is no class.
    """
    check_image_id(image_id)
    values = tuple(indices)
    if not all(
        isinstance(v, Integral) and not isinstance(v, (bool, np.bool_))
        for v in values
    ):
        raise ValueError(
            f'image {image_id!r}: class indices should be integers, but got '
            f'{values}; of booleans use the positions of the True ones'
        )
    unique = sorted({int(value) for value in values})
    if unique and unique[0] < 0:
        raise ValueError(
            f'image {image_id!r}: class index {unique[0]} is negative; '
            'indices are counted from 0, without the background'
        )
    if unique and num_classes is not None and unique[-1] >= num_classes:
        raise ValueError(
            f'image {image_id!r}: class index {unique[-1]} is out of range; '
            + (
                f'there are {num_classes} classes, 0 to {num_classes - 1}'
                if num_classes > 1
                else 'the only class is 0'
            )
        )
    return tuple(unique)


@dataclass(frozen=True)
class LabelTable:
    """Image-level labels of a set of images.

    An image without any class may stand in a table (``()``); a data
    set takes it as a negative.

    Args:
        labels (dict[str, Iterable[int]]): Image id (the stem of the image
            file) -> class indices, 0-based, the background is not a class.
            They are kept as sorted tuples without repetition.
        classes (Iterable[str], optional): Names of the classes, None where
            the source has none. Blanks around names are stripped.
        files (Mapping[str, str]): Image id -> name of its file as the source
            wrote it, maybe with a suffix. Defaults to none.

    Raises:
        ValueError: An image id is not a file stem, an index is out of range,
            or the names are wrong, see
            :func:`~oaa_mm.tags.classes.normalize_classes`.

    Examples:
        >>> table = LabelTable({'2007_000032': [14, 0]}, None)
        >>> table.labels
        {'2007_000032': (0, 14)}
    """

    labels: dict[str, tuple[int, ...]]
    classes: tuple[str, ...] | None = None
    files: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        classes = size = None
        if self.classes is not None:
            classes = normalize_classes(self.classes)
            size = len(classes)
        labels = {}
        for image_id, indices in self.labels.items():
            labels[image_id] = normalize_labels(image_id, indices, size)
        # The dataclass is frozen for its users, not for its own clean-up.
        object.__setattr__(self, 'classes', classes)
        object.__setattr__(self, 'labels', labels)

    def __len__(self) -> int:
        return len(self.labels)

    def images(self) -> list[ListedImage]:
        """The images as a list names them, in the order of their ids."""
        return [
            ListedImage(image_id, self.files.get(image_id, image_id))
            for image_id in sorted(self.labels)
        ]


def multi_hot(indices: Iterable[int], num_classes: int) -> np.ndarray:
    """The classes of an image as a vector.

    Args:
        indices (Iterable[int]): Class indices, 0-based.
        num_classes (int): C, the number of classes.

    Returns:
        np.ndarray: (C,) uint8, 1 where the image has the class, else 0.
    """
    vector = np.zeros(num_classes, np.uint8)
    vector[list(indices)] = 1
    return vector


class TableBuilder:
    """Collects the labels of a source; errors name the source and the place.

    Args:
        source (str | os.PathLike): The file or folder.
        classes (Iterable[str], optional): See :class:`LabelTable`.
        own (Collection[str] | None): The classes that the source names. They
            are taken where `classes` is None; where it selects some of them,
            the others are left out, and the log says so. Defaults to None.
        suffix (str | None): End of the images' names, see
            :func:`oaa_mm.io.image_id_of`. Defaults to None.

    Raises:
        ValueError: The names of the classes are wrong.
    """

    def __init__(
        self,
        source: str | os.PathLike,
        classes: Iterable[str] | None,
        own: Collection[str] | None = None,
        suffix: str | None = None,
    ) -> None:
        self.source = source
        self.suffix = suffix
        self.classes = own if classes is None else classes
        try:
            if self.classes is not None:
                self.classes = normalize_classes(self.classes)
        except ValueError as error:
            raise ValueError(f'{source}: {error}') from error
        known, own = set(self.classes or ()), set(own or ())
        self.left_out = own - known if known <= own else set()
        if self.left_out:
            names = name_some(sorted(self.left_out))
            text = f'{source}: the classes {names} are left out'
            print_log(text, 'current')
        #: Class name -> class index.
        self.numbers = {n: i for i, n in enumerate(self.classes or ())}
        self.labels: dict[str, tuple[int, ...]] = {}
        self.files: dict[str, str] = {}

    def class_index(self, name: str, place: str = '') -> int | None:
        """The index of a class.

        Args:
            name (str): Its name.
            place (str): See :meth:`add`.

        Returns:
            int | None: 0-based; None: the class is left out.

        Raises:
            ValueError: There is no such class.
        """
        if name not in self.numbers and name not in self.left_out:
            raise ValueError(
                f'{self.source}{place}: unknown class {name!r}; allowed are '
                f'{", ".join(self.numbers)}. Name it among the classes, or '
                'take it out of the labels'
            )
        return self.numbers.get(name)

    def add(self, name: str, indices: Iterable[int], place: str = '') -> None:
        """Enter an image.

        Args:
            name (str): Name of the image, with or without suffix.
            indices (Iterable[int]): Its class indices.
            place (str): Where it stands in the source, for messages, such as
                ``', line 3'``. Defaults to nothing.

        Raises:
            ValueError: The image was entered before, its name cannot be the
                name of a file, or an index is out of range.
        """
        image_id = image_id_of(name, self.suffix)
        size = None if self.classes is None else len(self.classes)
        try:
            if image_id in self.labels:
                raise ValueError(f'image {image_id!r} occurs twice; keep one')
            self.labels[image_id] = normalize_labels(image_id, indices, size)
        except ValueError as error:
            raise ValueError(f'{self.source}{place}: {error}') from error
        self.files[image_id] = name

    def build(self) -> LabelTable:
        """The table of all images that were entered."""
        return LabelTable(self.labels, self.classes, self.files)
