"""The files and classes of a data set, as stores and labels record them.

A store has the record in its metadata, a folder of labels in its manifest::

    {"classes": ["cat", "dog"], "palette": [[128, 0, 0], [0, 128, 0]],
     "images": [{"root": "/home/me/data/own/images",
                 "relative": "../../data/own/images",
                 "prefix": "", "suffix": ".jpg"},
                {..., "suffix": ".png", "ids": ["0003"]}],
     "masks": [...]}

The form of its files is that of :mod:`oaa_mm.attention.record_files`.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from oaa_mm.checks import name_some
from oaa_mm.io import ImageFolder, find_by_id, find_images
from oaa_mm.io.label_folder import LABELS, MANIFEST
from oaa_mm.io.manifest import ForeignManifestError, read_manifest
from oaa_mm.tags import VOC_CLASSES, load_classes

from .by_image import MapsByImage
from .record_files import GroupedFiles, group_files

#: The entry of a store's metadata.
DATA_SET = 'data_set'


def record_data(
    images: Mapping[str, str],
    folder: str | os.PathLike,
    *,
    masks: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
    palette: Sequence[Sequence[int]] | None = None,
    binary_masks: bool = False,
) -> dict[str, Any]:
    """Record which files and classes a data set has.

    Args:
        images (Mapping[str, str]): Image id -> file.
        folder (str | os.PathLike): Where the record will lie.
        masks (Mapping[str, str] | None): Image id -> its mask. Defaults to
            None: none is known.
        classes (Sequence[str] | None): Names of the foreground classes.
        palette (Sequence[Sequence[int]] | None): Their RGB colours, 0..255.
        binary_masks (bool): Whether 255 marks the only class in `masks`.
            Defaults to False.

    Returns:
        dict[str, Any]: The record, JSON types; equal data sets give equal
        ones.
    """
    return {
        'classes': list(classes or ()),
        'palette': [[int(value) for value in c] for c in palette or ()],
        'images': group_files(images, folder),
        'masks': group_files(masks or {}, folder),
        **({'binary_masks': True} if binary_masks and masks else {}),
    }


class DataRecord:
    """The data set of a store or of a folder of labels.

    Args:
        record (Any): The result of :func:`record_data`; anything that is no
            dictionary stands for a data set that nobody has recorded.
        place (str | os.PathLike): The file that holds the record.

    Attributes:
        classes (tuple[str, ...]): Foreground classes; empty if unknown.
        palette (list[list[int]]): Their colours; empty if unknown.
        images (GroupedFiles): Where the images are; false if unknown.
        masks (GroupedFiles): Where the masks are; false if unknown.
        binary_masks (bool): Whether 255 marks the only class in masks.

    Raises:
        ValueError: The record is damaged.
    """

    def __init__(self, record: Any, place: str | os.PathLike) -> None:
        record = record if isinstance(record, dict) else {}
        self.place = place
        self.classes = tuple(record.get('classes') or ())
        self.palette = record.get('palette') or []
        self.binary_masks = record.get('binary_masks', False)
        try:
            self.images = GroupedFiles(record.get('images') or (), place)
            self.masks = GroupedFiles(record.get('masks') or (), place)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{place}: its record of the data set is damaged ({error!r})'
            ) from error

    @classmethod
    def of_stores(
        cls, stores: Iterable[MapsByImage | None], place: str | os.PathLike
    ) -> 'DataRecord':
        """The record of the first store that has one.

        Args:
            stores (Iterable[MapsByImage | None]): Stores of one data set.
            place (str | os.PathLike): The file of one of them.

        Returns:
            DataRecord: It knows nothing where no store has a record.
        """
        known = (s.metadata.get(DATA_SET) for s in stores if s is not None)
        return cls(next(filter(None, known), None), place)

    @classmethod
    def of_labels(cls, folder: str | os.PathLike) -> 'DataRecord':
        """The record of a folder of labels.

        Args:
            folder (str | os.PathLike): An output of make_pseudo_labels, or
                ``labels`` in it.

        Returns:
            DataRecord: It knows nothing where the folder has no manifest, or
            one that is not of oaa_mm.

        Raises:
            ValueError: The manifest is damaged.
        """
        path = Path(folder, MANIFEST)
        if Path(folder).name == LABELS and not path.is_file():
            path = Path(folder).parent / MANIFEST  # of the folder's labels
        try:
            record = read_manifest(path).data_set if path.is_file() else None
        except ForeignManifestError:  # labels that others have made
            record = None
        return cls(record, path)

    def class_names(self, spec: str | None = None) -> tuple[str, ...]:
        """Names of the foreground classes.

        Args:
            spec (str | None): The user's argument, see
                :func:`oaa_mm.tags.load_classes`. Defaults to None: those of
                the record, or VOC's where it has none.

        Returns:
            tuple[str, ...]: The names.

        Raises:
            ValueError: `spec` names no classes.
        """
        if spec:
            return load_classes(spec)
        return self.classes or VOC_CLASSES

    def find_images(
        self,
        ids: Iterable[str],
        folder: str | os.PathLike | ImageFolder | None = None,
        *,
        names: Mapping[str, str] | None = None,
        option: str = '--img-dir',
    ) -> dict[str, str]:
        """Find the files of images: those of the training.

        Args:
            ids (Iterable[str]): The images.
            folder (str | os.PathLike | ImageFolder | None): Where a user says
                that they are. Defaults to None: where the record says.
            names (Mapping[str, str] | None): Image id -> its name in a list,
                which may decide between files of `folder`. Defaults to None:
                the ids.
            option (str): How a user names the folder, for messages.

        Returns:
            dict[str, str]: Image id -> file.

        Raises:
            FileNotFoundError: Images are absent, or nobody knows where they
                are.
            ValueError: Several files of `folder` may be an image.
        """
        ids = list(ids)
        if folder is not None:
            # By these ids, also where the folder has no sub-folders.
            listed = [(names or {}).get(i, i) for i in ids]
            paths = find_images(folder, listed).values()
            return dict(zip(ids, paths, strict=True))
        if not self.images:
            raise FileNotFoundError(
                f'{self.place} does not tell where its images are; name '
                f'their folder with {option}'
            )
        files = {i: self.images.file_of(i) for i in ids}
        absent = [p for p in files.values() if not os.path.isfile(p)]
        if absent:
            raise FileNotFoundError(
                f'{len(absent)} of {len(files)} images are no longer where '
                f'the training found them: {name_some(absent)}. Name their '
                f'folder with {option}'
            )
        return files

    def find_masks(
        self, ids: Iterable[str], folder: str | os.PathLike | None = None
    ) -> dict[str, str]:
        """Find the masks of images.

        Args:
            ids (Iterable[str]): The images.
            folder (str | os.PathLike | None): Where a user says that all of
                them are. Defaults to None: those that the data set had, as
                far as they are there.

        Returns:
            dict[str, str]: Image id -> file.

        Raises:
            FileNotFoundError: The folder or a mask in it is absent.
        """
        if folder is not None:
            return find_by_id(folder, ids)
        if not self.masks:
            return {}
        files = {i: self.masks.file_of(i) for i in ids}
        return {i: path for i, path in files.items() if os.path.isfile(path)}
