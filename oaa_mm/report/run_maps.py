"""Stores and labels of a work_dir, open for drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.pseudo_labels.layout import label_dir
from oaa_mm.visualization.comparison import classes_of_images
from oaa_mm.visualization.epochs import EpochStores, find_epochs, load_epochs

from .names import captions
from .sources import Sources


@dataclass(frozen=True, eq=False)
class Material:
    """Maps and labels, by caption.

    Attributes:
        stores (dict[str, Mapping]): Caption -> store, those of single epochs
            aside.
        classes (dict[str, dict[str, list[int]]]): Caption -> image id ->
            classes with a map.
        labels (dict[str, Path]): Caption -> folder of ``{image_id}.png``.
        work_dir (Path | None): Folder of the stores of epochs.
        epochs (tuple[int, ...]): Those epochs.
        last (EpochStores | None): The last of them.
        notes (tuple[str, ...]): What is left out, and why.
    """

    stores: dict[str, Mapping]
    classes: dict[str, dict[str, list[int]]]
    labels: dict[str, Path]
    work_dir: Path | None
    epochs: tuple[int, ...]
    last: EpochStores | None
    notes: tuple[str, ...]

    def maps(self, caption: str, image_id: str) -> dict[int, np.ndarray]:
        """The maps of an image in a store; empty if it has none."""
        found = self.classes[caption].get(image_id, ())
        return {c: self.stores[caption][image_id, c] for c in found}

    def image_ids(self) -> list[str]:
        """Images with a map or label, sorted."""
        known = {i for classes in self.classes.values() for i in classes}
        if self.last is not None:
            known |= set(self.last.image_ids)
        for folder in self.labels.values():
            known |= {path.stem for path in folder.glob('*.png')}
        return sorted(known)


def open_material(sources: Sources) -> Material:
    """Open stores and folders of labels.

    Args:
        sources (Sources): Where they are. Of several folders with stores of
            epochs, the one with most epochs is taken.

    Returns:
        Material: What could be opened. A damaged store is left out with a
        note.
    """
    stores, notes = _open_stores(sources)
    work_dir, epochs, more = _evolution(sources)
    last = None
    if work_dir is not None:
        (last,) = load_epochs(work_dir, epochs[-1:])
    alone = len(sources.labels) == 1
    return Material(
        stores=stores,
        classes={n: classes_of_images(store) for n, store in stores.items()},
        labels={
            'pseudo-label' if alone else name: label_dir(folder)
            for name, folder in sources.labels.items()
        },
        work_dir=work_dir,
        epochs=epochs,
        last=last,
        notes=(*notes, *more),
    )


def _open_stores(sources: Sources) -> tuple[dict[str, Mapping], list[str]]:
    """Stores in the order of the method: CAM first."""
    names, stores, notes = captions(sources.stores), {}, []
    for name in sorted(names, key=lambda n: not names[n].endswith('CAM')):
        path = sources.stores[name]
        try:
            stores[names[name]] = AttentionStore.open(path)
        except ValueError as error:
            notes.append(f'{path} is left out: {error}')
    return stores, notes


def _evolution(
    sources: Sources,
) -> tuple[Path | None, tuple[int, ...], list[str]]:
    """The folder with most stores of epochs, and these epochs."""
    epochs = {
        folder: tuple(
            sorted({e for part in find_epochs(folder) for e in part})
        )
        for folder in sources.accumulations.values()
    }
    if not epochs:
        return None, (), []
    longest = max(epochs, key=lambda folder: len(epochs[folder]))
    if len(epochs) == 1:
        return longest, epochs[longest], []
    note = (
        f'{len(epochs)} folders hold accumulated maps; the epochs shown are '
        f'those of {longest}. For those of another, name its folder alone.'
    )
    return longest, epochs[longest], [note]
