"""The maps that the fallback would take."""

from __future__ import annotations

import numpy as np

from .by_image import Pair, check_same_size


class Candidates(dict[Pair, tuple[int, np.ndarray]]):
    """The latest maps of pairs that were never accepted, with their ranks.

    The rank of a map is its epoch, and within the epoch whether the map was
    accepted (before the accumulation starts). A map of higher rank replaces
    the candidate, maps of equal rank are joined by their maximum, so neither
    the order of the maps nor repeats change the result.
    """

    @staticmethod
    def rank(epoch: int, accepted: bool) -> int:
        """Compute the rank of a map.

        Args:
            epoch (int): Index of its epoch, from 0.
            accepted (bool): Whether it was accepted.

        Returns:
            int: The rank, at least 2; smaller ones are for epochs unknown.
        """
        return 2 * (epoch + 1) + accepted

    def offer(self, pair: Pair, attention: np.ndarray, rank: int) -> None:
        """Make a map the candidate of its pair, unless there is a better.

        Args:
            pair (Pair): Image id and class.
            attention (np.ndarray): (h, w) uint8 map.
            rank (int): Its :meth:`rank`.

        Raises:
            ValueError: The candidate has another size.
        """
        if pair not in self:
            self[pair] = rank, attention.copy()
            return
        mine, candidate = self[pair]
        check_same_size(pair, candidate, attention)
        if rank == mine:
            np.maximum(candidate, attention, out=candidate)
        elif rank > mine:
            candidate[:] = attention
            self[pair] = rank, candidate

    @property
    def maps(self) -> dict[Pair, np.ndarray]:
        """The maps without their ranks."""
        return {pair: attention for pair, (_, attention) in self.items()}

    @property
    def ranks(self) -> dict[Pair, int]:
        """The ranks without their maps."""
        return {pair: rank for pair, (rank, _) in self.items()}
