"""Where the images, masks and class names of a training are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oaa_mm import datasets
from oaa_mm.engine.store_names import ACCUMULATED, store_name
from oaa_mm.io.manifest import manifest_path
from oaa_mm.tags.classes import load_classes
from oaa_mm.visualization import find_epochs

from .options import ReportOptions
from .sources import Sources, read_json

Config = Mapping[str, Any]


@dataclass(frozen=True)
class DataFolders:
    """A data set as a report needs it.

    Attributes:
        img_dir (Path | None): Folder of images; None where none is known.
        mask_dir (Path | None): Folder of masks; None where none is known.
        class_names (tuple[str, ...]): Foreground classes; empty if unknown.
        notes (tuple[str, ...]): Which folders are not known or not there.
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


def find_data(sources: Sources, options: ReportOptions) -> DataFolders:
    """Take what the user names, and the rest from the manifests of stores.

    Args:
        sources (Sources): Their stores lie beside their manifests.
        options (ReportOptions): Folders and class names, if the user gives
            any.

    Returns:
        DataFolders: The data set.

    Raises:
        FileNotFoundError: A folder that the user names is absent.
        ValueError: The class names are wrong.
    """
    configs = list(_dataset_configs(sources))
    images, no_images = _find_folder(
        'images', options.img_dir, '--img-dir', 'img_path', configs
    )
    masks, no_masks = _find_folder(
        'masks', options.mask_dir, '--masks', 'seg_map_path', configs
    )
    names = _known_classes(configs, sources)
    if options.classes:
        names = load_classes(options.classes)
    return DataFolders(images, masks, tuple(names), no_images + no_masks)


def _dataset_configs(sources: Sources) -> Iterator[Config]:
    """Data sets of the configs that made the stores."""
    stores = list(sources.stores.values())
    for folder in sources.accumulations.values():
        epochs, _ = find_epochs(folder)
        stores += [folder / store_name(ACCUMULATED, e) for e in epochs[-1:]]
    for path in filter(Path.is_file, map(manifest_path, stores)):
        config = read_json(path).get('parameters', {}).get('config', {})
        for loader in ('test_dataloader', 'train_dataloader'):
            dataset = (config.get(loader) or {}).get('dataset') or {}
            while 'dataset' in dataset:  # RepeatDataset and the like
                dataset = dataset['dataset']
            yield dataset


def _find_folder(
    kind: str,
    typed: str | os.PathLike | None,
    option: str,
    key: str,
    configs: Sequence[Config],
) -> tuple[Path | None, tuple[str, ...]]:
    """The folder, and a note where none is known."""
    if typed is not None:
        if not Path(typed).is_dir():
            raise FileNotFoundError(f'{option}: no such folder: {typed}')
        return Path(typed), ()
    absent = ''
    for config in configs:
        inner = (config.get('data_prefix') or {}).get(key)
        folder = Path(config.get('data_root') or '', inner or '')
        if inner and folder.is_dir():
            return folder, ()
        if inner:
            absent = f' but {folder}, which is not there (from {Path.cwd()})'
    note = f'No folder of {kind} is known{absent}; name it with {option}.'
    return None, (note,)


def _known_classes(
    configs: Sequence[Config], sources: Sources
) -> tuple[str, ...]:
    for config in configs:
        kind = str(config.get('type')).split('.')[-1]
        known = getattr(getattr(datasets, kind, None), 'METAINFO', {})
        named = config.get('metainfo') or {}
        names = named.get('classes') or known.get('classes')
        if isinstance(names, (list, tuple)):
            return tuple(names)
    for path in sources.scores.values():
        return tuple(read_json(path)['classes'])
    return ()
