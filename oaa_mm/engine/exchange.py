"""Bringing the maps of an epoch from all processes to the main one."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine.dist import get_backend, get_dist_info, is_distributed

from oaa_mm.attention import AttentionAccumulator, AttentionStore
from oaa_mm.attention.store_file import Sections

#: Pairs that travel in one go: some megabytes of maps.
PAIRS_AT_ONCE = 4096


class EpochExchange:
    """Gather the maps of all processes in the main process.

    Maps lie in CPU memory, so they travel over gloo, whatever the backend of
    the training; the main process receives one piece of each at a time. All
    processes have to call the methods at the same points of the training.
    With one process, nothing happens.
    """

    def __init__(self) -> None:
        self._group: Any = None

    def open(self) -> None:
        """Prepare the connection, once before the first :meth:`gather`."""
        # None stands for the group of the training.
        if is_distributed() and get_backend() != 'gloo':
            self._group = torch_dist.new_group(backend='gloo')

    def gather(self, accumulator: AttentionAccumulator) -> None:
        """Merge the parts of all processes in the main process.

        The other processes send theirs and begin with nothing again.

        Args:
            accumulator (AttentionAccumulator): The one of this process.
        """
        rank, world_size = get_dist_info()
        if world_size == 1:
            return
        part = accumulator.take_part() if rank else {}
        pieces = list(split(part, PAIRS_AT_ONCE))
        rounds = torch.tensor(len(pieces))
        torch_dist.all_reduce(rounds, torch_dist.ReduceOp.MAX, self._group)
        for number in range(int(rounds)):
            received = None if rank else [None] * world_size
            mine = pieces[number : number + 1]
            torch_dist.gather_object(mine, received, group=self._group)
            for piece in chain(*(received or ())):
                accumulator.merge(piece)

    def share(self, store: AttentionStore) -> None:
        """Give all processes the maps of the main one.

        Every process then holds a copy of its own; it travels in pieces.

        Args:
            store (AttentionStore): The maps. The other processes write what
                they receive into theirs.
        """
        rank, world_size = get_dist_info()
        if world_size == 1:
            return
        maps = iter(() if rank else store.data.items())
        shared = [True]
        while shared[0]:
            shared = [dict(islice(maps, PAIRS_AT_ONCE))]
            torch_dist.broadcast_object_list(shared, src=0, group=self._group)
            if rank:
                store.update(shared[0])


def split(sections: Sections, pairs_at_once: int) -> Iterator[Sections]:
    """Split the sections of an accumulator into pieces.

    Args:
        sections (Sections): The result of `take_part`.
        pairs_at_once (int): The most pairs of a piece.

    Yields:
        Sections: A piece.
    """
    pairs = list(set().union(*sections.values()))
    for start in range(0, len(pairs), pairs_at_once):
        some = pairs[start : start + pairs_at_once]
        yield {
            name: {pair: maps[pair] for pair in some if pair in maps}
            for name, maps in sections.items()
        }
