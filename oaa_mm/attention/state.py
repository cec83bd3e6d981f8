"""What an accumulator knows, and how two of them are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .by_image import Pair
from .fuse import MaxFusion, MeanFusion
from .store import AttentionStore, check_same_size

#: A section of the file -> its maps, or one number for each pair.
Sections = dict[str, Mapping[Pair, Any]]


class AccumulatorState:
    """The memory M, the candidates, and the running epoch.

    A pair (image, class) that was accepted since the accumulation began has a
    map in M. Any other pair that came has a *candidate*, the map that the
    fallback would take. The candidate's rank is the epoch, and within it
    whether the map was accepted; a map of higher rank replaces the candidate,
    maps of equal rank are joined by their maximum. Thus for ``'max'`` all
    parts of the state are joined by operations that are commutative,
    associative and idempotent.

    Args:
        fusion (MaxFusion | MeanFusion): How accepted maps are fused.
        epoch (int): Index of the running epoch, from 0.
        start_epoch (int): Index of the first epoch that is fused.
        keep_accepted (bool): Whether the accepted maps of the running epoch
            wait for its end.
        keep_rejected (bool): Whether the rejected ones are kept as well.
    """

    def __init__(
        self,
        fusion: MaxFusion | MeanFusion,
        *,
        epoch: int,
        start_epoch: int,
        keep_accepted: bool,
        keep_rejected: bool,
    ) -> None:
        self.fusion = fusion
        self.epoch = epoch
        self.start_epoch = start_epoch
        self.keep_accepted = keep_accepted
        self.keep_rejected = keep_rejected
        self.store = AttentionStore()
        self.candidates: dict[Pair, tuple[int, np.ndarray]] = {}  # with ranks
        # The running epoch: its pairs, and whether one was accepted.
        self.came: dict[Pair, bool] = {}
        self.non_finite: set[Pair] = set()
        self.accepted = AttentionStore()
        self.rejected = AttentionStore()
        self.seen = AttentionStore()  # 1 where the network looked

    @property
    def fuses(self) -> bool:
        """Whether the running epoch is fused."""
        return self.epoch >= self.start_epoch

    def add(
        self,
        pair: Pair,
        attention: np.ndarray,
        accepted: bool,
        seen: np.ndarray | None = None,
    ) -> None:
        """Take one map of the running epoch in.

        Args:
            pair (Pair): Image id and class.
            attention (np.ndarray): (h, w) uint8 map in the image's frame.
            accepted (bool): Whether the map counts.
            seen (np.ndarray | None): (h, w), 1 where the network looked; None
                where nobody asks.

        Raises:
            ValueError: Maps of the image have different sizes.
        """
        if accepted:
            self.came[pair] = True
            if self.keep_accepted:
                self.accepted.join(pair, attention)
                if seen is not None:
                    self.seen.join(pair, seen)
        else:
            self.came.setdefault(pair, False)
            if self.keep_rejected:
                self.rejected.join(pair, attention)
        if not (accepted and self.fuses):
            self._offer(pair, attention, _rank(self.epoch, accepted))
            return
        self._forget_candidate(pair)
        if not self.keep_accepted:
            self.fusion.fuse(self.store, pair, attention, None)

    def _offer(self, pair: Pair, attention: np.ndarray, rank: int) -> None:
        """Make a map the candidate of its pair, unless there is a better."""
        if pair not in self.candidates:
            waits = self.fuses and pair in self.accepted.data
            if not waits and pair not in self.store.data:
                self.candidates[pair] = rank, attention.copy()
            return
        mine, candidate = self.candidates[pair]
        check_same_size(pair, candidate, attention)
        if rank == mine:
            np.maximum(candidate, attention, out=candidate)
        elif rank > mine:
            candidate[:] = attention
            self.candidates[pair] = rank, candidate

    def _forget_candidate(self, pair: Pair) -> None:
        if pair in self.candidates:
            del self.candidates[pair]
            self.store.pop(pair, None)  # a fallback map, if there is any

    def finish_epoch(self) -> None:
        """Fuse the maps that wait, and forget the running epoch."""
        if self.fuses:
            for pair, attention in self.accepted.data.items():
                seen = self.seen.data.get(pair)
                self.fusion.fuse(self.store, pair, attention, seen)
        self.candidates = dict(self.candidates)  # gives memory back
        self.came, self.non_finite = {}, set()
        self.accepted, self.rejected = AttentionStore(), AttentionStore()
        self.seen = AttentionStore()
        self.epoch += 1

    def renumber(self, epoch: int) -> None:
        """Learn that the running epoch has another index than assumed.

        Args:
            epoch (int): The index, from 0.

        Raises:
            ValueError: The maps have been fused, but are of an epoch before
                the accumulation starts.
        """
        if self.came and epoch < self.start_epoch <= self.epoch:
            raise ValueError(
                f'maps came as those of epoch {self.epoch} and are fused; now '
                f'they should be of epoch {epoch}, before start_epoch='
                f'{self.start_epoch}. Set `epoch` before the first map comes'
            )
        begins = self.epoch < self.start_epoch <= epoch
        old, self.epoch = self.epoch, epoch
        for pair, accepted in self.came.items():
            rank, attention = self.candidates.get(pair, (None, None))
            if rank == _rank(old, accepted):
                self.candidates[pair] = _rank(epoch, accepted), attention
                if begins and accepted:
                    self.add(pair, attention, True)

    def sections(self) -> Sections:
        """Return the whole state, as sections of a file."""
        sections = {
            'maps': self.store.data,
            'candidates': {p: m for p, (_, m) in self.candidates.items()},
            'candidate_ranks': {p: r for p, (r, _) in self.candidates.items()},
            **self.fusion.sections(),
            'unfinished_pairs': self.came,
            'unfinished_non_finite': dict.fromkeys(self.non_finite, 1),
            'unfinished_accepted': self.accepted.data,
            'unfinished_rejected': self.rejected.data,
            'unfinished_seen': self.seen.data,
        }
        return {name: maps for name, maps in sections.items() if maps}

    def pieces(self, pairs_at_once: int) -> Iterator[Sections]:
        """Cut the state into parts that :meth:`merge` joins again.

        Args:
            pairs_at_once (int): The most pairs of a piece.

        Yields:
            Sections: A piece.
        """
        sections = self.sections()
        pairs = list({pair for maps in sections.values() for pair in maps})
        for start in range(0, len(pairs), pairs_at_once):
            some = pairs[start : start + pairs_at_once]
            yield {
                name: {pair: maps[pair] for pair in some if pair in maps}
                for name, maps in sections.items()
            }

    def merge(self, sections: Sections) -> None:
        """Join the state of another accumulator, or a piece of it.

        Args:
            sections (Sections): The :meth:`sections` of the other one.

        Raises:
            ValueError: Maps of one image have different sizes.
        """
        candidates = sections.get('candidates', {})
        # A fallback map in M stands for a pair that has a candidate.
        maps = {
            pair: attention
            for pair, attention in sections.get('maps', {}).items()
            if pair not in candidates
        }
        for pair in maps:
            self._forget_candidate(pair)
        self.fusion.merge(self.store, {**sections, 'maps': maps})
        seen = sections.get('unfinished_seen', {})
        for pair, attention in sections.get('unfinished_accepted', {}).items():
            self.add(pair, attention, True, seen.get(pair))
        for pair, attention in sections.get('unfinished_rejected', {}).items():
            self.add(pair, attention, False)
        ranks = sections.get('candidate_ranks', {})
        for pair, attention in candidates.items():
            self._offer(pair, attention, ranks.get(pair, 0))
        for pair, accepted in sections.get('unfinished_pairs', {}).items():
            self.came[pair] = bool(accepted) or self.came.get(pair, False)
        self.non_finite.update(sections.get('unfinished_non_finite', ()))


def _rank(epoch: int, accepted: bool) -> int:
    """Rank of a candidate; 0 and 1 are left for epochs long ago."""
    return 2 * (epoch + 1) + accepted
