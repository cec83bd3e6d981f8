"""Gathering the maps of one epoch, and sorting them out at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
import torch
from torch import Tensor

from .pages import MapPages, Pair
from .place import Placement, place_map
from .store import AttentionStore

#: Batches, and bytes of maps, that wait before they are sorted out. It bounds
#: the memory that this takes; on a GPU it is also how seldom the device is
#: waited for.
BATCHES_AT_ONCE = 256
BYTES_AT_ONCE = 8 << 20
#: Takes n pairs, their (n, h, w) maps, and whether they are accepted.
Sink = Callable[[list[Pair], np.ndarray, bool], None]
#: Height and width of a map without padding, and how it lies in its frame.
_Kind = tuple[tuple[int, int], Placement | None]


@dataclass
class CollectedEpoch:
    """Maps of one epoch, in their images' frames.

    Attributes:
        accepted (AttentionStore): Joined accepted maps of each pair.
        rejected (AttentionStore): Joined rejected maps of each pair; a pair
            may be in both if it came more than once.
        seen (MapPages): For each accepted pair 1 where the network looked;
            empty if the collector does not record it.
        non_finite (int): Maps that were dropped for NaN or Inf.
    """

    accepted: AttentionStore = field(default_factory=AttentionStore)
    rejected: AttentionStore = field(default_factory=AttentionStore)
    seen: MapPages = field(default_factory=MapPages)
    non_finite: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.accepted or self.rejected or self.non_finite)

    def merge(self, other: CollectedEpoch) -> None:
        """Join what another part of the same epoch has collected.

        The maximum neither depends on the order nor counts a map twice, so
        parts of any number of processes give what one process would have.

        Args:
            other (CollectedEpoch): For example that of another process.
        """
        for name in ('accepted', 'rejected', 'seen'):
            mine, theirs = getattr(self, name), getattr(other, name)
            for pairs, maps in theirs.blocks():
                mine.maximum(pairs, maps)
        self.non_finite += other.non_finite

    def all_maps(self) -> AttentionStore:
        """One map a pair: the accepted one where there is one."""
        maps = AttentionStore()
        for source in (self.rejected, self.accepted):
            for pairs, its_maps in source.blocks():
                maps.set(pairs, its_maps)
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
    """Collect quantised maps batch by batch.

    They are kept until :meth:`finish`, or go on to a sink as they come.

    Args:
        record_seen (bool): Whether to record where the network looked.
            Defaults to True.
        begun (CollectedEpoch | None): What the epoch has collected before an
            interruption. Defaults to None: nothing.
    """

    def __init__(
        self, record_seen: bool = True, begun: CollectedEpoch | None = None
    ) -> None:
        self._record_seen = record_seen
        self._epoch = CollectedEpoch() if begun is None else begun
        self._sink: Sink | None = None
        self._batches: list[_Batch] = []
        self._waiting = 0  # bytes
        self._stream_used = False

    @property
    def empty(self) -> bool:
        """Whether the epoch has not collected anything yet."""
        return not self._batches and self._epoch.empty

    def hand_on(self, sink: Sink) -> None:
        """Hand maps on as they come, from now to the end of the epoch.

        Args:
            sink (Sink): What takes them; then :meth:`finish` returns counts
                alone.
        """
        self._sink = sink
        self.add(self._replace_epoch())

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
        self._waiting += maps.numel()
        if (
            len(self._batches) == BATCHES_AT_ONCE
            or self._waiting > BYTES_AT_ONCE
        ):
            self.so_far()

    def _fetch(self, tensor: Tensor) -> Tensor:
        if tensor.device.type != 'cuda':
            return tensor.cpu()
        # Only a copy into pinned memory runs beside the training step.
        pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        self._stream_used = True
        return pinned.copy_(tensor, non_blocking=True)

    def so_far(self) -> CollectedEpoch:
        """Sort the maps that the epoch has collected out, and keep them.

        Returns:
            CollectedEpoch: The maps, un-padded and in their images' frames.
        """
        if self._stream_used:
            torch.cuda.synchronize()
            self._stream_used = False
        # Maps that lie alike go on together: a batch may be one image.
        alike: dict[_Kind, list[tuple[_Batch, list[int]]]] = {}
        for batch in self._batches:
            for kind, rows in _rows_by_kind(batch).items():
                alike.setdefault(kind, []).append((batch, rows))
        for kind, parts in alike.items():
            self._sort_out(kind, parts)
        self._batches.clear()
        self._waiting = 0
        return self._epoch

    def finish(self) -> CollectedEpoch:
        """Sort the epoch's maps out and forget them.

        Returns:
            CollectedEpoch: See :meth:`so_far`.
        """
        self.so_far()
        self._sink = None
        return self._replace_epoch()

    def _replace_epoch(self) -> CollectedEpoch:
        epoch, self._epoch = self._epoch, CollectedEpoch()
        return epoch

    def add(self, part: CollectedEpoch) -> None:
        """Join what another process has collected in this epoch.

        Args:
            part (CollectedEpoch): Of :meth:`finish` there.
        """
        if self._sink is None:
            self._epoch.merge(part)
            return
        for maps, accepted in ((part.accepted, True), (part.rejected, False)):
            for pairs, its_maps in maps.blocks():
                self._sink(pairs, its_maps, accepted)
        self._epoch.non_finite += part.non_finite

    def _sort_out(
        self, kind: _Kind, parts: list[tuple[_Batch, list[int]]]
    ) -> None:
        (height, width), placement = kind
        pairs = [batch.pairs[row] for batch, rows in parts for row in rows]
        maps = np.concatenate(
            [b.maps.numpy()[rows, :height, :width] for b, rows in parts]
        )
        accepted, finite = (
            np.concatenate(
                [getattr(b, name).numpy()[rows] for b, rows in parts]
            )
            for name in ('accepted', 'finite')
        )
        cells = None
        if placement is not None:
            maps, cells = place_map(maps, placement)
        self._epoch.non_finite += int((~finite).sum())
        for is_accepted in (True, False):
            keep = (accepted == is_accepted) & finite
            kept = list(compress(pairs, keep))
            (self._sink or self._keep)(kept, maps[keep], is_accepted)
            if self._record_seen and is_accepted:
                looked = _looked(maps[keep], cells)
                self._epoch.seen.maximum(kept, looked)

    def _keep(
        self, pairs: list[Pair], maps: np.ndarray, accepted: bool
    ) -> None:
        epoch = self._epoch
        (epoch.accepted if accepted else epoch.rejected).maximum(pairs, maps)


def _looked(maps: np.ndarray, cells: tuple[slice, slice] | None) -> np.ndarray:
    """1 in the cells that the network saw, 0 elsewhere."""
    if cells is None:
        return np.ones_like(maps)
    looked = np.zeros_like(maps)
    looked[:, cells[0], cells[1]] = 1
    return looked


def _rows_by_kind(batch: _Batch) -> dict[_Kind, list[int]]:
    """Group the rows of a batch that have one size and one placement."""
    groups: dict[_Kind, list[int]] = {}
    size = tuple(batch.maps.shape[1:])
    for row in range(len(batch.pairs)):
        its_size = size if batch.valid is None else tuple(batch.valid[row])
        placement = batch.placements and batch.placements[row]
        groups.setdefault((its_size, placement or None), []).append(row)
    return groups
