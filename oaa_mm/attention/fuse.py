"""How the accepted maps of an epoch are fused into the memory M."""

from collections.abc import Mapping

import numpy as np

from .by_image import Pair, check_same_size
from .store import AttentionStore

Maps = Mapping[Pair, np.ndarray]


class MaxFusion:
    """M_t = max(M_{t-1}, A_t), element by element."""

    #: Whether all maps of a pair and epoch have to be there before fusing.
    needs_whole_epoch = False
    #: Sections that :meth:`fuse` takes of another memory.
    parts = ('maps',)

    def fuse(
        self,
        store: AttentionStore,
        pair: Pair,
        attention: np.ndarray,
        seen: np.ndarray | None = None,
    ) -> None:
        """Fuse one more map into the memory.

        Args:
            store (AttentionStore): The memory M.
            pair (Pair): Image id and class.
            attention (np.ndarray): (h, w) uint8 map.
            seen (np.ndarray | None): Not used. Defaults to None.
        """
        store.join(pair, attention)

    def sections(self) -> dict[str, Maps]:
        """Return the sections to save in addition to M: none."""
        return {}


class MeanFusion:
    """M_t = ((k-1) M_{t-1} + A_t) / k, with k the accepted maps so far.

    Sums and counts are integers, so neither the order of the maps nor an
    interruption changes the result. A cell counts as often as it was seen.
    """

    needs_whole_epoch = True
    parts = ('sums', 'counts')

    def __init__(self) -> None:
        self._sums: dict[Pair, np.ndarray] = {}
        self._counts: dict[Pair, np.ndarray] = {}

    def fuse(
        self,
        store: AttentionStore,
        pair: Pair,
        attention: np.ndarray,
        seen: np.ndarray | None = None,
    ) -> None:
        """Fuse one more map, or the sum of several, into the memory.

        Args:
            store (AttentionStore): The memory M.
            pair (Pair): Image id and class.
            attention (np.ndarray): (h, w) unsigned integers, the joined map
                of an epoch.
            seen (np.ndarray | None): (h, w), how often the network looked.
                Defaults to None: once, everywhere.
        """
        seen = np.ones_like(attention) if seen is None else seen
        if pair not in self._sums:
            self._sums[pair] = np.zeros(attention.shape, np.uint32)
            self._counts[pair] = np.zeros(attention.shape, np.uint16)
        check_same_size(pair, self._sums[pair], attention)
        self._sums[pair] += attention
        self._counts[pair] += seen
        counts = self._counts[pair].clip(1).astype(np.uint32)
        # Half up; a cell that no crop has shown yet stays 0.
        means = (self._sums[pair] + counts // 2) // counts
        store[pair] = means.astype(np.uint8)

    def sections(self) -> dict[str, Maps]:
        """Return the sections to save in addition to M: sums and counts."""
        return {'sums': self._sums, 'counts': self._counts}


FUSIONS = {'max': MaxFusion, 'mean': MeanFusion}
