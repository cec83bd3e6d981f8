"""Gathering the maps of one epoch, and sorting them out at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from .pages import MapPages, Pair
from .place import Placement, place_map
from .store import AttentionStore

__all__ = ['CollectedEpoch', 'EpochCollector']


@dataclass
class CollectedEpoch:
    """Maps of one epoch, in their images' frames.

    Attributes:
        accepted (AttentionStore): Joined accepted maps of each pair.
        rejected (AttentionStore): Joined rejected maps of each pair; a pair
            may be in both if it came more than once.
        seen (MapPages): For each accepted pair 1 where the network looked.
        non_finite (int): Maps that were dropped for NaN or Inf.
    """

    accepted: AttentionStore = field(default_factory=AttentionStore)
    rejected: AttentionStore = field(default_factory=AttentionStore)
    seen: MapPages = field(default_factory=MapPages)
    non_finite: int = 0

    @property
    def pairs(self) -> int:
        """Number of distinct pairs."""
        only_rejected = sum(p not in self.accepted for p in self.rejected)
        return len(self.accepted) + only_rejected

    def all_maps(self) -> AttentionStore:
        """One map a pair: the accepted one where there is one."""
        maps = AttentionStore()
        for source in (self.rejected, self.accepted):
            for size in source.sizes:
                maps.set(source.pairs_of_size(size), source.maps_of_size(size))
        return maps


@dataclass
class _Batch:
    """Maps of one batch on their way from the device."""

    pairs: list[Pair]
    maps: Tensor  # (P, h, w) uint8
    accepted: Tensor  # (P,) bool
    finite: Tensor  # (P,) bool
    valid: list[list[int]] | None
    placements: list[Placement | None] | None


class EpochCollector:
    """Collect quantised maps batch by batch, hand them over once an epoch."""

    def __init__(self) -> None:
        self._batches: list[_Batch] = []
        self._stream_used = False

    def collect(
        self,
        *,
        pairs: list[Pair],
        maps: Tensor,
        accepted: Tensor,
        finite: Tensor,
        valid: list[list[int]] | None = None,
        placements: list[Placement | None] | None = None,
    ) -> None:
        """Remember a batch; copies from the device do not block.

        Args:
            pairs (list[Pair]): P pairs.
            maps (Tensor): (P, h, w) uint8 maps, possibly padded.
            accepted (Tensor): (P,) bool.
            finite (Tensor): (P,) bool, False for maps to be dropped.
            valid (list[list[int]] | None): P heights and widths of the maps
                without padding.
            placements (list[Placement | None] | None): P placements.
        """
        maps, accepted, finite = map(self._fetch, (maps, accepted, finite))
        self._batches.append(
            _Batch(pairs, maps, accepted, finite, valid, placements)
        )

    def _fetch(self, tensor: Tensor) -> Tensor:
        if tensor.device.type != 'cuda':
            return tensor.cpu()
        # Only a copy into pinned memory runs beside the training step.
        pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        self._stream_used = True
        return pinned.copy_(tensor, non_blocking=True)

    def finish(self) -> CollectedEpoch:
        """Sort the epoch's maps out and forget them.

        Returns:
            CollectedEpoch: The maps, un-padded and in their images' frames.
        """
        if self._stream_used:
            torch.cuda.synchronize()
        epoch = CollectedEpoch()
        for batch in self._batches:
            self._sort_out(batch, epoch)
        self._batches.clear()
        return epoch

    def _sort_out(self, batch: _Batch, epoch: CollectedEpoch) -> None:
        maps = batch.maps.numpy()
        accepted, finite = batch.accepted.numpy(), batch.finite.numpy()
        epoch.non_finite += int((~finite).sum())
        for rows, size, placement in _alike(batch):
            some = maps[rows, : size[0], : size[1]]
            cells = None
            if placement is not None:
                some, cells = place_map(some, placement)
            for keep, store in (
                (accepted[rows] & finite[rows], epoch.accepted),
                (~accepted[rows] & finite[rows], epoch.rejected),
            ):
                pairs = [
                    batch.pairs[n] for n in np.asarray(rows)[keep].tolist()
                ]
                store.maximum(pairs, some[keep])
                if store is epoch.accepted:
                    epoch.seen.maximum(pairs, _looked(some[keep], cells))


def _looked(maps: np.ndarray, cells: tuple[slice, slice] | None) -> np.ndarray:
    """1 in the cells that the network saw, 0 elsewhere."""
    if cells is None:
        return np.ones_like(maps)
    looked = np.zeros_like(maps)
    looked[:, cells[0], cells[1]] = 1
    return looked


def _alike(
    batch: _Batch,
) -> list[tuple[list[int], tuple[int, int], Placement | None]]:
    """Group the rows of a batch that have one size and one placement."""
    groups: dict[tuple, list[int]] = {}
    size = tuple(batch.maps.shape[1:])
    for row in range(len(batch.pairs)):
        its_size = size if batch.valid is None else tuple(batch.valid[row])
        placement = batch.placements and batch.placements[row]
        groups.setdefault((its_size, placement or None), []).append(row)
    return [(rows, key[0], key[1]) for key, rows in groups.items()]
