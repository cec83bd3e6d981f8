"""Attention stores of a training, by epoch."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oaa_mm.attention import AttentionStore
from oaa_mm.io.progress import progress

from .layouts import EpochMaps

#: M after an epoch, and A of that epoch alone; epochs count from 1.
ACCUMULATED = 'attention_epoch_{}.safetensors'
CURRENT = 'epoch_maps_{}.safetensors'
#: Columns of a strip where the user does not choose.
DEFAULT_COLUMNS = 4


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
    reason: str

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Images with a map at this epoch, sorted."""
        stores = [s for s in (self.current, self.accumulated) if s is not None]
        return tuple(sorted({i for s in stores for i in s.image_ids}))

    def maps_of(self, image_id: str) -> EpochMaps:
        """The maps of one image.

        Args:
            image_id (str): The image; it may lack maps.

        Returns:
            EpochMaps: One column of its strip.
        """

        def read(store: AttentionStore | None) -> dict | None:
            if store is None:
                return None
            classes = store.classes_of(image_id)
            return {index: store[image_id, index] for index in classes}

        return EpochMaps(
            self.epoch, read(self.current), read(self.accumulated), self.reason
        )


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
    accumulated = epochs_of(folder, ACCUMULATED)
    current = epochs_of(folder, CURRENT)
    if not accumulated and not current:
        raise FileNotFoundError(
            f'{folder} holds neither {ACCUMULATED.format("*")} nor '
            f'{CURRENT.format("*")}; train with OAAHook first, or name the '
            'work_dir of that training'
        )
    return accumulated, current


def epochs_of(folder: Path, pattern: str) -> list[int]:
    """The epochs of which a folder holds a store.

    Args:
        folder (Path): The folder.
        pattern (str): :data:`ACCUMULATED` or :data:`CURRENT`.

    Returns:
        list[int]: Sorted, counted from 1.
    """
    regex = re.compile(re.escape(pattern).replace(r'\{\}', r'(\d+)'))
    names = (regex.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(name[1]) for name in names if name)


def select_epochs(
    work_dir: str | os.PathLike, wanted: Sequence[str] | None = None
) -> list[int]:
    """Turn what a user asks for into epochs that have a store.

    Args:
        work_dir (str | os.PathLike): The work_dir of a training.
        wanted (Sequence[str] | None): Numbers counted from 1, or ``'last'``.
            Defaults to None: four epochs, evenly spaced, first and last
            included.

    Returns:
        list[int]: Distinct epochs, increasing.

    Raises:
        FileNotFoundError: The folder holds no store, or none of an epoch.
        ValueError: An entry is neither a number nor ``'last'``.
    """
    accumulated, current = find_epochs(work_dir)
    known = sorted({*accumulated, *current})
    if wanted is None:
        return evenly_spaced(known, DEFAULT_COLUMNS)
    chosen = {_parse_epoch(word, known[-1]) for word in wanted}
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
    if number == 1:
        return list(epochs[-1:])
    steps = min(number, len(epochs))
    ends = max(steps - 1, 1), len(epochs) - 1
    return [epochs[round(i * ends[1] / ends[0])] for i in range(steps)]


def _parse_epoch(word: str, last: int) -> int:
    if word == 'last':
        return last
    if not str(word).isdecimal():
        raise ValueError(
            f"an epoch should be a number from 1 or 'last', but got {word!r}"
        )
    return int(word)


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
    folder = Path(work_dir)
    accumulated, _ = find_epochs(folder)
    stores = []
    for epoch in epochs:
        early = bool(accumulated) and epoch < accumulated[0]
        stores.append(
            EpochStores(
                epoch,
                _load(folder / CURRENT.format(epoch)),
                _load(folder / ACCUMULATED.format(epoch)),
                'not started' if early else 'not stored',
            )
        )
    return stores


def maps_over_epochs(
    work_dir: str | os.PathLike,
    epochs: Sequence[int],
    image_ids: Sequence[str],
) -> dict[str, list[EpochMaps]]:
    """The maps of some images, in memory one epoch at a time.

    Args:
        work_dir (str | os.PathLike): The work_dir of a training.
        epochs (Sequence[int]): Counted from 1.
        image_ids (Sequence[str]): The images.

    Returns:
        dict[str, list[EpochMaps]]: Image -> its maps at each epoch.

    Raises:
        FileNotFoundError: The folder holds no store.
        ValueError: A store is damaged.
    """
    maps: dict[str, list[EpochMaps]] = {i: [] for i in image_ids}
    for epoch in progress(epochs, 'epochs'):
        (stores,) = load_epochs(work_dir, [epoch])
        for image_id in image_ids:
            maps[image_id].append(stores.maps_of(image_id))
    return maps


def _load(path: Path) -> AttentionStore | None:
    return AttentionStore.load(path) if path.is_file() else None
