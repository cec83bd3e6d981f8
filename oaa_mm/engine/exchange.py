"""Bringing the maps of an epoch from all processes to the main one."""

from __future__ import annotations

from typing import Any

import torch.distributed as torch_dist
from mmengine.dist import get_backend, get_dist_info, is_distributed

from oaa_mm.attention import (
    AttentionAccumulator,
    AttentionStore,
    CollectedEpoch,
)

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

    def share(self, store: AttentionStore) -> None:
        """Give all processes the maps of the main one.

        Every process then holds a copy of its own; it travels block by block.

        Args:
            store (AttentionStore): The maps. The other processes write what
                they receive into theirs.
        """
        rank, world_size = get_dist_info()
        if world_size == 1:
            return
        blocks = iter(()) if rank else store.blocks()
        while (block := self._shared_object(next(blocks, None))) is not None:
            if rank:
                store.set(*block)

    def _shared_object(self, value: Any) -> Any:
        shared = [value]
        torch_dist.broadcast_object_list(shared, src=0, group=self._group)
        return shared[0]

    def _send(self, epoch: CollectedEpoch) -> int:
        self._send_object(epoch.non_finite)
        total = 0
        for section in SECTIONS:
            # A block is a piece of bounded size.
            for pairs, maps in getattr(epoch, section).blocks():
                self._send_object((section, pairs, maps))
                total += maps.nbytes
        self._send_object(None)
        return total

    def _receive(self, accumulator: AttentionAccumulator, source: int) -> int:
        total = 0
        non_finite = self._receive_object(source)
        accumulator.add_collected(CollectedEpoch(non_finite=non_finite))
        while (piece := self._receive_object(source)) is not None:
            section, pairs, maps = piece
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
