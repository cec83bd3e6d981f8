"""Bringing the maps of an epoch from all processes to the main one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.distributed as torch_dist
from mmengine.dist import get_backend, get_dist_info, is_distributed

from oaa_mm.attention import AttentionAccumulator, CollectedEpoch

__all__ = ['EpochExchange']

#: Bytes of maps sent in one piece; bounds what it takes beside the maps.
PIECE = 64 << 20
SECTIONS = ('accepted', 'rejected', 'seen')


class EpochExchange:
    """Gather what the processes have collected in the main process.

    Maps lie in CPU memory, so they travel over gloo, whatever the backend of
    the training; the main process receives from one process after the other,
    piece by piece. All processes have to call the methods at the same points
    of the training. With one process, nothing happens.
    """

    def __init__(self) -> None:
        self._group: Any = None

    def open(self) -> None:
        """Prepare the connection, once before the first :meth:`gather`."""
        if is_distributed() and self._group is None:
            self._group = (
                torch_dist.group.WORLD
                if get_backend() == 'gloo'
                else torch_dist.new_group(backend='gloo')
            )

    def gather(self, accumulator: AttentionAccumulator) -> int:
        """Join the collected maps of all processes in the main process.

        The other processes hand theirs over and collect from nothing.

        Args:
            accumulator (AttentionAccumulator): Of this process.

        Returns:
            int: Bytes of maps that this process sent or received.
        """
        rank, world_size = get_dist_info()
        if world_size == 1:
            return 0
        if rank:
            return self._send(accumulator.take_collected())
        return sum(
            self._receive(accumulator, source)
            for source in range(1, world_size)
        )

    def _send(self, epoch: CollectedEpoch) -> int:
        pieces = list(_pieces(epoch))
        self._send_object((len(pieces), epoch.non_finite))
        for section, size, start, stop in pieces:
            pages = getattr(epoch, section)
            pairs = pages.pairs_of_size(size)[start:stop]
            maps = pages.maps_of_size(size)[start:stop]
            self._send_object((section, pairs, maps))
        return _num_bytes(epoch)

    def _receive(self, accumulator: AttentionAccumulator, source: int) -> int:
        total = 0
        count, non_finite = self._receive_object(source)
        accumulator.add_collected(CollectedEpoch(non_finite=non_finite))
        for _ in range(count):
            section, pairs, maps = self._receive_object(source)
            part = CollectedEpoch()
            getattr(part, section).set(pairs, maps)
            accumulator.add_collected(part)
            total += maps.nbytes
        return total

    def _send_object(self, value: Any) -> None:
        torch_dist.send_object_list([value], dst=0, group=self._group)

    def _receive_object(self, source: int) -> Any:
        received = [None]
        torch_dist.recv_object_list(received, src=source, group=self._group)
        return received[0]


def _pieces(
    epoch: CollectedEpoch,
) -> Iterator[tuple[str, tuple[int, int], int, int]]:
    """Section, map size, and range of rows of each piece."""
    for section in SECTIONS:
        pages = getattr(epoch, section)
        for size in pages.sizes:
            rows = max(1, PIECE // (size[0] * size[1]))
            total = len(pages.maps_of_size(size))
            for start in range(0, total, rows):
                yield section, size, start, min(start + rows, total)


def _num_bytes(epoch: CollectedEpoch) -> int:
    return sum(getattr(epoch, section).num_bytes for section in SECTIONS)
