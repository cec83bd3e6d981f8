"""Fusing the maps of an epoch into the memory, in any order."""

from __future__ import annotations

import numpy as np

from .pages import Pair
from .store import AttentionStore

#: Marks of a pair: what has come of it in this epoch.
ACCEPTED, REJECTED = 1, 2


class EpochFusion:
    """Take the maps of one epoch into the memory as they come.

    Accepted maps are fused into the memory. Pairs that it lacks keep their
    latest map as a candidate: the maximum of what came in the epoch, of
    accepted maps alone where there are any. A candidate whose pair is accepted
    gives its place to it, so that there is one map for each pair at any time.

    With the maximum, the result does not depend on the order of the maps.

    Args:
        store (AttentionStore): The memory M.
        candidates (AttentionStore): Beside it, the latest maps of pairs that
            no epoch has accepted.
        fuse (bool): Whether the epoch counts; if not, all maps are
            candidates.
        operation (np.ufunc | None): How accepted maps and the memory are
            combined. Defaults to `np.maximum`; None overwrites.
    """

    def __init__(
        self,
        store: AttentionStore,
        candidates: AttentionStore,
        *,
        fuse: bool,
        operation: np.ufunc | None = np.maximum,
    ) -> None:
        self._store = store
        self._candidates = candidates
        self._fuse = fuse
        self._operation = operation
        store.memory.clear_marks()

    @property
    def pairs(self) -> int:
        """Number of distinct pairs that have come."""
        return self._store.memory.count_marks(ACCEPTED | REJECTED)

    @property
    def accepted(self) -> int:
        """Number of distinct pairs with a map that was fused."""
        if not self._fuse:
            return 0
        return self._store.memory.count_marks(ACCEPTED)

    def take(
        self, pairs: list[Pair], maps: np.ndarray, accepted: bool
    ) -> None:
        """Take maps in.

        Args:
            pairs (list[Pair]): n pairs, repeats allowed.
            maps (np.ndarray): (n, h, w) uint8 maps in their images' frames.
            accepted (bool): Whether they are accepted.

        Raises:
            ValueError: Maps of one image have different sizes.
        """
        keys = self._store.keys(pairs)
        if accepted and self._fuse:
            self._promote(np.unique(keys))
            slots = self._store.combine(keys, maps, self._operation)
            self._store.memory.mark(slots, ACCEPTED)
        else:
            self._keep(keys, maps, ACCEPTED if accepted else REJECTED)

    def _promote(self, keys: np.ndarray) -> None:
        """Make candidates maps of zeros in the memory."""
        slots = self._candidates.slots_of(keys)
        keys, slots = keys[slots >= 0], slots[slots >= 0]
        if not len(keys):
            return
        self._store.memory.clear(slots)
        self._store.adopt(
            self._candidates, keys[self._store.slots_of(keys) < 0]
        )
        self._candidates.forget(keys)

    def _keep(self, keys: np.ndarray, maps: np.ndarray, mark: int) -> None:
        """Keep the maps of pairs that the memory lacks as candidates."""
        memory = self._store.memory
        slots = self._store.slots_of(keys)
        memory.mark(slots[slots >= 0], mark)
        keys, maps = keys[slots < 0], maps[slots < 0]
        slots = self._candidates.slots_of(keys)
        marks = np.zeros(len(keys), np.uint8)
        marks[slots >= 0] = memory.marks(slots[slots >= 0])
        # The first of the epoch replaces what an earlier epoch has left.
        outdated = (slots >= 0) & (marks & mark == 0)
        if mark == REJECTED:
            overruled = marks & ACCEPTED > 0
            outdated &= ~overruled
            keys, maps = keys[~overruled], maps[~overruled]
        memory.clear(np.unique(slots[outdated]))
        slots = self._candidates.combine(keys, maps, np.maximum)
        memory.mark(slots, mark)
