"""Stores and labels of a run, open for drawing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oaa_mm.attention import AttentionStore
from oaa_mm.datasets import ImageFolder
from oaa_mm.evaluation.compare import distinct_names
from oaa_mm.pseudo_labels.layout import label_dir
from oaa_mm.visualization import EpochStores, load_epochs, select_epochs

from .names import store_caption
from .sources import Sources


@dataclass(frozen=True, eq=False)
class RunMaps:
    """Maps and labels of a run.

    Attributes:
        stores (dict[str, AttentionStore]): Caption -> store, without those of
            single epochs.
        labels (dict[str, Path]): Caption -> folder of ``{image_id}.png``.
        epochs (tuple[EpochStores, ...]): Stores of some epochs, the last
            included.
        notes (tuple[str, ...]): What is left out, and why.
    """

    stores: dict[str, AttentionStore]
    labels: dict[str, Path]
    epochs: tuple[EpochStores, ...]
    notes: tuple[str, ...]

    def image_ids(self) -> list[str]:
        """Images with a map or label, sorted."""
        stores = (*self.stores.values(), *self.epochs[-1:])
        known = {i for store in stores for i in store.image_ids}
        for folder in self.labels.values():
            known.update(ImageFolder(folder, '.png', strict=True).all_ids())
        return sorted(known)


def open_run_maps(sources: Sources, at_most: int) -> RunMaps:
    """Open stores and folders of labels.

    Args:
        sources (Sources): Where they are. Of several folders with stores of
            epochs, the one with most epochs is taken.
        at_most (int): The most epochs to open, evenly spaced.

    Returns:
        RunMaps: All that could be opened. A damaged store is left out with a
        note.
    """
    stores, notes = {}, []
    paths = list(sources.stores.values())
    names = map(store_caption, distinct_names(paths) if paths else ())
    # In the order of the method: CAM first.
    for name, path in sorted(
        zip(names, paths, strict=True), key=lambda s: not s[0].endswith('CAM')
    ):
        try:
            stores[name] = AttentionStore.open(path)
        except ValueError as error:
            notes.append(f'{path} is left out: {error}')
    folders = list(sources.accumulations.values())
    epochs = []
    if folders:
        folder = max(folders, key=lambda path: len(select_epochs(path)))
        epochs = load_epochs(folder, select_epochs(folder, at_most=at_most))
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
    return RunMaps(stores, labels, tuple(epochs), tuple(notes))
