"""Attention stores of a training, by epoch."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.store_names import (
    ACCUMULATED,
    CURRENT,
    parse_store_name,
    store_name,
)

#: Class index -> (h, w) uint8 map.
Maps = Mapping[int, np.ndarray]


@dataclass(frozen=True, eq=False)
class EpochMaps:
    """The maps of one image at one epoch.

    Args:
        epoch (int): Counted from 1.
        current (Maps | None): A, the maps of this epoch alone; None where
            they were not kept.
        accumulated (Maps | None): M after this epoch; None where there is
            none.
        reason (str): Few words on why `accumulated` is None.
    """

    epoch: int
    current: Maps | None = None
    accumulated: Maps | None = None
    reason: str = 'not started'

    @property
    def classes(self) -> set[int]:
        """Classes that have a map."""
        return {*(self.current or ()), *(self.accumulated or ())}


@dataclass(frozen=True, eq=False)
class EpochStores:
    """The stores of one epoch.

    Args:
        epoch (int): Counted from 1.
        current (AttentionStore | None): A; None where it was not kept.
        accumulated (AttentionStore | None): M; None where there is none.
        reason (str): Few words on why `accumulated` is None.
    """

    epoch: int
    current: AttentionStore | None
    accumulated: AttentionStore | None
    reason: str = 'not started'

    @property
    def stores(self) -> list[AttentionStore]:
        """M and A, as far as there are these."""
        both = (self.accumulated, self.current)
        return [store for store in both if store is not None]

    def maps_of(self, image_id: str) -> EpochMaps:
        """The maps of one image.

        Args:
            image_id (str): The image; it may lack maps.

        Returns:
            EpochMaps: One column of its strip.
        """
        current, accumulated = (
            None if store is None else store.maps_of(image_id)
            for store in (self.current, self.accumulated)
        )
        return EpochMaps(self.epoch, current, accumulated, self.reason)


def find_epochs(work_dir: str | os.PathLike) -> tuple[list[int], list[int]]:
    """The epochs whose stores a folder holds.

    Args:
        work_dir (str | os.PathLike): The work_dir of a training.

    Returns:
        tuple[list[int], list[int]]: Epochs of accumulated maps (M) and of
        single epochs' maps (A), sorted, counted from 1.

    Raises:
        FileNotFoundError: The folder is absent or holds neither.
    """
    folder = Path(work_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f'no such work_dir: {folder}')
    names = list(map(parse_store_name, folder.glob('*.safetensors')))
    accumulated, current = (
        sorted(name[1] for name in names if name and name[0] == kind)
        for kind in (ACCUMULATED, CURRENT)
    )
    if not accumulated and not current:
        raise FileNotFoundError(
            f'{folder} holds neither {ACCUMULATED}_*.safetensors nor '
            f'{CURRENT}_*.safetensors; train with OAAHook first, or name the '
            'work_dir of that training'
        )
    return accumulated, current


def select_epochs(
    work_dir: str | os.PathLike,
    wanted: Sequence[str] | None = None,
    *,
    at_most: int | None = None,
) -> list[int]:
    """Turn what a user asks for into epochs that have a store.

    Args:
        work_dir (str | os.PathLike): The work_dir of a training.
        wanted (Sequence[str] | None): Numbers counted from 1, or ``'last'``.
            Defaults to None: all epochs.
        at_most (int | None): How many epochs, evenly spaced, to take at most
            where `wanted` is None. Defaults to None: all.

    Returns:
        list[int]: Distinct epochs, increasing.

    Raises:
        FileNotFoundError: The folder holds no store, or none of an epoch.
        ValueError: An entry is neither a number nor ``'last'``.
    """
    accumulated, current = find_epochs(work_dir)
    known = sorted({*accumulated, *current})
    if wanted is None:
        return evenly_spaced(known, at_most or len(known))
    for word in wanted:
        if word != 'last' and not word.isdecimal():
            raise ValueError(
                "an epoch should be a number from 1 or 'last', but got "
                f'{word!r}'
            )
    chosen = {known[-1] if word == 'last' else int(word) for word in wanted}
    # The first epochs of a training have no M, and maybe no file at all.
    absent = sorted(e for e in chosen - {*known} if e < 1 or e > known[0])
    if absent:
        raise FileNotFoundError(
            f'{work_dir} holds no maps of epoch '
            f'{", ".join(map(str, absent))}; it has accumulated maps of '
            f'epochs {accumulated} and maps of single epochs {current}'
        )
    return sorted(chosen)


def evenly_spaced(epochs: Sequence[int], number: int) -> list[int]:
    """Some of many epochs, the first and the last included.

    Args:
        epochs (Sequence[int]): Sorted.
        number (int): How many at most, at least 1.

    Returns:
        list[int]: Distinct epochs, increasing; one alone is the last.
    """
    # From the end, so that one alone is the last.
    places = np.linspace(len(epochs) - 1, 0, min(number, len(epochs)))
    return [epochs[round(place)] for place in places[::-1]]


def load_epochs(
    work_dir: str | os.PathLike, epochs: Sequence[int]
) -> list[EpochStores]:
    """Read the stores of some epochs.

    Args:
        work_dir (str | os.PathLike): The work_dir of a training.
        epochs (Sequence[int]): From :func:`select_epochs`.

    Returns:
        list[EpochStores]: One per epoch.

    Raises:
        FileNotFoundError: The folder holds no store.
        ValueError: A store is damaged.
    """
    first = min(find_epochs(work_dir)[0], default=0)
    stores = []
    for epoch in epochs:
        current, accumulated = (
            AttentionStore.open(path) if path.is_file() else None
            for kind in (CURRENT, ACCUMULATED)
            for path in [Path(work_dir, store_name(kind, epoch))]
        )
        reason = 'not started' if epoch < first else 'not stored'
        stores.append(EpochStores(epoch, current, accumulated, reason))
    return stores
