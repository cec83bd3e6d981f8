"""What a report draws of a run, and what a user chooses about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oaa_mm import datasets
from oaa_mm.attention import AttentionStore
from oaa_mm.checks import check_number
from oaa_mm.evaluation.compare import distinct_names
from oaa_mm.io import ImageFolder
from oaa_mm.pseudo_labels.layout import label_dir
from oaa_mm.tags.classes import load_classes
from oaa_mm.visualization import EpochStores, load_epochs, select_epochs

from .sources import Sources, read_json, store_caption

Config = Mapping[str, Any]


@dataclass(frozen=True)
class ReportOptions:
    """Which images a report shows, how, and where they are.

    Attributes:
        ids (Sequence[str]): Images by name.
        best (int): How many of the best.
        worst (int): How many of the worst.
        random (int): How many at random.
        seed (int): Seed of the random choice.
        epochs (int): The most epochs, evenly spaced.
        tile_height (int): Height of the pictures, in pixels.
        img_dir (str | os.PathLike | None): Folder of images. Defaults to the
            one that the manifests of the stores name.
        mask_dir (str | os.PathLike | None): Folder of masks. Defaults to the
            one that the manifests name.
        classes (str | None): Class names, as
            :func:`oaa_mm.tags.load_classes` reads them. Defaults to those
            that the manifests name.

    Raises:
        ValueError: A number is out of its range.
    """

    ids: Sequence[str] = ()
    best: int = 3
    worst: int = 3
    random: int = 4
    seed: int = 0
    epochs: int = 10
    tile_height: int = 180
    img_dir: str | os.PathLike | None = None
    mask_dir: str | os.PathLike | None = None
    classes: str | None = None

    def __post_init__(self) -> None:
        least = dict(best=0, worst=0, random=0, epochs=1, tile_height=16)
        for name, low in least.items():
            check_number(name, getattr(self, name), low=low, integer=True)


@dataclass(frozen=True, eq=False)
class Run:
    """Maps and labels of a run, and the data set that they belong to.

    Attributes:
        stores (dict[str, AttentionStore]): Caption -> store, without those of
            single epochs.
        labels (dict[str, Path]): Caption -> folder of ``{image_id}.png``.
        epochs (Sequence[EpochStores]): Stores of some epochs, the last
            included.
        img_dir (Path | None): Folder of images; None where none is known.
        mask_dir (Path | None): Folder of masks; None where none is known.
        class_names (Sequence[str]): Foreground classes; empty if unknown.
        notes (Sequence[str]): What is not known, not there or left out.
    """

    stores: dict[str, AttentionStore]
    labels: dict[str, Path]
    epochs: Sequence[EpochStores]
    img_dir: Path | None
    mask_dir: Path | None
    class_names: Sequence[str]
    notes: Sequence[str]

    def image_ids(self) -> list[str]:
        """Images with a map or label, sorted."""
        stores = (*self.stores.values(), *self.epochs[-1:])
        known = {i for store in stores for i in store.image_ids}
        for folder in self.labels.values():
            labels = ImageFolder(folder, '.png', strict=True)
            known.update(labels.all_ids())
        return sorted(known)

    def class_name(self, index: int) -> str:
        """Name of a class, ``'class 7'`` where it is not known."""
        if index < len(self.class_names):
            return self.class_names[index]
        return f'class {index}'


def open_run(sources: Sources, options: ReportOptions) -> Run:
    """Open stores and folders of labels, and find their data set.

    Args:
        sources (Sources): Where they are. Of several folders with stores of
            epochs, the one with most epochs is taken.
        options (ReportOptions): Folders and class names that the user gives;
            the others are those of the configs that made the stores.

    Returns:
        Run: All that could be opened. A damaged store is left out with a
        note.

    Raises:
        FileNotFoundError: A folder that the user names is absent.
        ValueError: The class names are wrong.
    """
    configs, notes = list(_dataset_configs(sources)), []
    img_dir, mask_dir = (
        _find_folder(*folder, configs, notes)
        for folder in (
            ('images', options.img_dir, '--img-dir', 'img_path'),
            ('masks', options.mask_dir, '--masks', 'seg_map_path'),
        )
    )
    classes = _known_classes(configs, sources)
    if options.classes:
        classes = load_classes(options.classes)
    stores = {}
    names = distinct_names(sources.stores)
    # In the order of the method: CAM first.
    for path in sorted(names, key=lambda path: path.stem != 'cam'):
        try:
            stores[store_caption(names[path])] = AttentionStore.open(path)
        except ValueError as error:
            notes.append(f'{path} is left out: {error}')
    folders = list(sources.accumulations.values())
    epochs = []
    if folders:
        folder = max(folders, key=lambda path: len(select_epochs(path)))
        chosen = select_epochs(folder, at_most=options.epochs)
        epochs = load_epochs(folder, chosen)
    if len(folders) > 1:
        notes.append(
            f'{len(folders)} folders hold accumulated maps; the epochs shown '
            f'are those of {folder}. For those of another, name its folder '
            'alone.'
        )
    alone = len(sources.labels) == 1
    labels = {
        'pseudo-label' if alone else name: label_dir(folder)
        for name, folder in sources.labels.items()
    }
    return Run(stores, labels, epochs, img_dir, mask_dir, classes, notes)


def _dataset_configs(sources: Sources) -> Iterator[Config]:
    """Data sets of the configs that made the stores."""
    for config in sources.configs:
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
    notes: list[str],
) -> Path | None:
    """The folder; None, and a further note, where none is known."""
    if typed is not None:
        if not Path(typed).is_dir():
            raise FileNotFoundError(f'{option}: no such folder: {typed}')
        return Path(typed)
    absent = ''
    for config in configs:
        inner = (config.get('data_prefix') or {}).get(key)
        folder = Path(config.get('data_root') or '', inner or '')
        if inner and folder.is_dir():
            return folder
        if inner:
            absent = f' but {folder}, which is not there (from {Path.cwd()})'
    notes.append(
        f'No folder of {kind} is known{absent}; name it with {option}.'
    )
    return None


def _known_classes(
    configs: Sequence[Config], sources: Sources
) -> Sequence[str]:
    for config in configs:
        kind = str(config.get('type')).split('.')[-1]
        known = getattr(getattr(datasets, kind, None), 'METAINFO', {})
        named = config.get('metainfo') or {}
        names = named.get('classes') or known.get('classes')
        if isinstance(names, (list, tuple)):
            return tuple(names)
    for path in sources.scores:
        return tuple(read_json(path)['classes'])
    return ()
