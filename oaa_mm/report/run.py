"""The maps and labels that a report draws, and the user's options."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DataRecord
from oaa_mm.checks import check_number
from oaa_mm.io import ImageFolder, find_by_id
from oaa_mm.io.label_folder import MANIFEST, label_dir
from oaa_mm.visualization import EpochStores, load_epochs, select_epochs

from .sources import Sources, read_json, store_caption


@dataclass(frozen=True)
class ReportOptions:
    """Which images a report shows, how, and where they are.

    Attributes:
        ids (Sequence[str]): Images by name.
        moving (int): How many of those in which attention moves most.
        best (int): How many of the best.
        worst (int): How many of the worst.
        random (int): How many at random.
        seed (int): Seed of the random choice.
        epochs (int): The most epochs, evenly spaced; 0 shows none.
        tile_height (int): Height of the pictures, in pixels.
        img_dir (str | os.PathLike | None): Folder of images. Defaults to the
            files that the stores have recorded.
        mask_dir (str | os.PathLike | None): Folder of masks. Defaults to
            those that the stores have recorded.
        classes (str | None): Class names, as
            :func:`oaa_mm.tags.load_classes` reads them. Defaults to those
            of the stores.

    Raises:
        ValueError: A number is out of its range.
    """

    ids: Sequence[str] = ()
    moving: int = 3
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
        for name in ('moving', 'best', 'worst', 'random', 'epochs'):
            check_number(name, getattr(self, name), low=0, integer=True)


@dataclass(frozen=True, eq=False)
class Run:
    """Maps and labels of a run, and the data set that they belong to.

    Attributes:
        stores (dict[str, AttentionStore]): Caption -> store, in the order of
            the method, without those of `epochs`.
        labels (dict[str, Path]): Caption -> folder of ``{image_id}.png``.
        epochs (Sequence[EpochStores]): Stores of some epochs, the last
            included.
        data (DataRecord): What the stores have recorded of the data set.
        img_dir (ImageFolder | None): Images that the user names in its place.
        mask_dir (Path | None): Masks that the user names in its place.
        class_names (Sequence[str]): Foreground classes; empty if unknown.
        notes (Sequence[str]): What is not known, not there or left out.
    """

    stores: dict[str, AttentionStore]
    labels: dict[str, Path]
    epochs: Sequence[EpochStores]
    data: DataRecord
    img_dir: ImageFolder | None
    mask_dir: Path | None
    class_names: Sequence[str]
    notes: Sequence[str]

    def image_ids(self) -> list[str]:
        """Images with a map or label, sorted."""
        last = [store for e in self.epochs[-1:] for store in e.stores]
        stores = (*self.stores.values(), *last)
        known = {i for store in stores for i in store.image_ids}
        for folder in self.labels.values():
            labels = ImageFolder(folder, '.png', strict=True)
            known.update(labels.all_ids())
        return sorted(known)

    def find_masks(self, ids: Iterable[str]) -> dict[str, str]:
        """The masks of images, as far as they are there.

        Args:
            ids (Iterable[str]): The images.

        Returns:
            dict[str, str]: Image id -> file.
        """
        if self.mask_dir is None:
            return self.data.find_masks(ids)
        return find_by_id(self.mask_dir, ids, allow_missing=True)

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
            the others are those that the stores have recorded.

    Returns:
        Run: All that could be opened. A damaged store that was found in a
        folder is left out with a note.

    Raises:
        FileNotFoundError: A folder that the user names is absent.
        ValueError: The class names are wrong, or a store that the user names
            is damaged.
    """
    notes = []
    for option, typed in (
        ('--img-dir', options.img_dir),
        ('--masks', options.mask_dir),
    ):
        if typed is not None and not Path(typed).is_dir():
            raise FileNotFoundError(f'{option}: no such folder: {typed}')
    folder = sources.longest_training() if options.epochs else None
    epochs = []
    if folder is not None:
        chosen = select_epochs(folder, at_most=options.epochs)
        epochs = load_epochs(folder, chosen)
    stores, opened = {}, {}
    # The maps of the last epoch are already among `epochs`.
    for path, caption in sources.maps(without=folder).items():
        try:
            stores[caption] = opened[path] = AttentionStore.open(path)
        except ValueError as error:
            if path in sources.named:
                raise ValueError(
                    f'{error}. Leave it out, or name another store; labels '
                    'that other programs have made are named with --labels'
                ) from error
            notes.append(f'{path} is left out: {error}')
    if folder and len(sources.accumulations) > 1:
        notes.append(
            f'{len(sources.accumulations)} folders hold accumulated maps; the '
            f'epochs shown are those of {folder}. For those of another, name '
            'its folder alone.'
        )
    labels, warnings = _open_labels(sources.labels)
    notes += warnings
    data = _known_data(sources, opened, epochs, folder)
    return Run(
        stores,
        labels,
        epochs,
        data,
        options.img_dir and ImageFolder(options.img_dir),
        options.mask_dir and Path(options.mask_dir),
        _class_names(options, data, sources),
        notes,
    )


def _open_labels(
    folders: Mapping[str, Path],
) -> tuple[dict[str, Path], list[str]]:
    """Caption -> labels; and what their maker said against maps of OAA+."""
    found, warnings = {}, []
    for name, folder in folders.items():
        path = folder / MANIFEST
        manifest = read_json(path) if path.is_file() else {}
        if manifest.get('tool') == 'make_pseudo_labels':  # not another's
            source = manifest.get('inputs', {}).get('store', {}).get('path')
            caption = f'label from {store_caption(Path(source or name).stem)}'
            name = name if caption in found else caption
            if warning := manifest.get('results', {}).get('warning'):
                warnings.append(f'{folder} is made of {source}. {warning}.')
        found[name] = label_dir(folder)
    if len(found) == 1:
        found = {'pseudo-label': found.popitem()[1]}
    return found, warnings


def _known_data(
    sources: Sources,
    stores: Mapping[Path, AttentionStore],
    epochs: Sequence[EpochStores],
    folder: Path | None,
) -> DataRecord:
    """One record of the data set; one that also knows masks is preferred."""
    records = [DataRecord.of_stores([s], path) for path, s in stores.items()]
    if folder is not None:
        place = folder / 'attention_epoch_*.safetensors'
        kept = [store for epoch in epochs for store in epoch.stores]
        records.append(DataRecord.of_stores(kept, place))
    records += map(DataRecord.of_labels, sources.labels.values())
    unknown = DataRecord(None, 'The run')
    return max(
        records, key=lambda r: (bool(r.images), bool(r.masks)), default=unknown
    )


def _class_names(
    options: ReportOptions, data: DataRecord, sources: Sources
) -> Sequence[str]:
    if options.classes or data.classes:
        return data.class_names(options.classes)
    for path in sources.scores:
        return tuple(read_json(path)['classes'])
    return ()
