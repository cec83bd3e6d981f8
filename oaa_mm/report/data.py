"""Where the images, masks and class names of a training are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oaa_mm.io.manifest import manifest_path
from oaa_mm.tags.classes import COCO_CLASSES, VOC_CLASSES, load_classes
from oaa_mm.visualization.epochs import ACCUMULATED, epoch_store, epochs_of

from .sources import Sources, read_json

#: Classes of data sets that need not name them.
_OWN_CLASSES = {
    'VOCImageLevelDataset': VOC_CLASSES,
    'COCOImageLevelDataset': COCO_CLASSES,
}


@dataclass(frozen=True)
class DataFolders:
    """A data set as a report needs it.

    Attributes:
        img_dir (Path | None): Folder of images; None where none is known.
        mask_dir (Path | None): Folder of masks; None likewise.
        class_names (tuple[str, ...]): Foreground classes; empty if unknown.
        notes (tuple[str, ...]): Folders that manifests name and that are not
            there.
    """

    img_dir: Path | None = None
    mask_dir: Path | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def class_name(self, index: int) -> str:
        """Name of a class, ``'class 7'`` where it is not known."""
        if index < len(self.class_names):
            return self.class_names[index]
        return f'class {index}'


def find_data(
    sources: Sources,
    *,
    img_dir: str | os.PathLike | None = None,
    mask_dir: str | os.PathLike | None = None,
    classes: str | None = None,
) -> DataFolders:
    """Take what the user names, and the rest from the manifests of stores.

    Args:
        sources (Sources): Their stores lie beside their manifests.
        img_dir (str | os.PathLike | None): Folder of images.
        mask_dir (str | os.PathLike | None): Folder of masks.
        classes (str | None): What :func:`oaa_mm.tags.load_classes` reads.

    Returns:
        DataFolders: The data set.

    Raises:
        FileNotFoundError: A folder that the user names is absent.
        ValueError: The class names are wrong.
    """
    datasets = list(_datasets(sources))
    images, image_note = _folder(img_dir, 'img_path', datasets, '--img-dir')
    masks, mask_note = _folder(mask_dir, 'seg_map_path', datasets, '--masks')
    names = load_classes(classes) if classes else _classes(datasets, sources)
    notes = tuple(note for note in (image_note, mask_note) if note)
    return DataFolders(images, masks, tuple(names), notes)


def _datasets(sources: Sources) -> Iterator[Mapping[str, Any]]:
    """Data sets of the configs that made the stores."""
    stores = list(sources.stores.values())
    for folder in sources.accumulations.values():
        epochs = epochs_of(folder, ACCUMULATED)
        stores += [epoch_store(folder, ACCUMULATED, e) for e in epochs[-1:]]
    for path in filter(Path.is_file, map(manifest_path, stores)):
        config = read_json(path).get('parameters', {}).get('config', {})
        for loader in ('test_dataloader', 'train_dataloader'):
            dataset = (config.get(loader) or {}).get('dataset') or {}
            while 'dataset' in dataset:  # RepeatDataset and the like
                dataset = dataset['dataset']
            yield dataset


def _folder(
    typed: str | os.PathLike | None,
    key: str,
    datasets: list[Mapping[str, Any]],
    option: str,
) -> tuple[Path | None, str | None]:
    """The folder, and a note where only an absent one is known."""
    if typed is not None:
        if not Path(typed).is_dir():
            raise FileNotFoundError(f'{option}: no such folder: {typed}')
        return Path(typed), None
    named = [
        Path(dataset.get('data_root') or '', inner)
        for dataset in datasets
        if (inner := (dataset.get('data_prefix') or {}).get(key))
    ]
    for folder in named:
        if folder.is_dir():
            return folder, None
    if not named:
        return None, None
    return None, (
        f'The manifests name the folder {named[0]}, which is not there (seen '
        f'from {Path.cwd()}); name it with {option}.'
    )


def _classes(
    datasets: list[Mapping[str, Any]], sources: Sources
) -> tuple[str, ...]:
    for dataset in datasets:
        names = (dataset.get('metainfo') or {}).get('classes')
        if isinstance(names, (list, tuple)):
            return tuple(names)
        kind = str(dataset.get('type')).split('.')[-1]
        if kind in _OWN_CLASSES:
            return _OWN_CLASSES[kind]
    for path in sources.scores.values():
        return tuple(read_json(path)['classes'])
    return ()
