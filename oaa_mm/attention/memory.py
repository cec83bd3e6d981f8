"""What has been accumulated, and how two such memories are merged."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from .arrivals import Arrivals
from .by_image import Pair
from .candidates import Candidates
from .fuse import FUSIONS
from .reader import AttentionReader
from .store import AttentionStore
from .store_file import Sections, write_sections


class AttentionMemory:
    """The accumulated maps M, the candidates, and the running epoch.

    A pair (image, class) that was accepted since the accumulation began has a
    map in M; any other pair that came is a candidate. For ``'max'`` all parts
    are merged by operations that are commutative, associative and idempotent:
    neither the order of the maps nor their split over several memories can
    change the result.

    Args:
        fusion (str): ``'max'`` or ``'mean'``.
        start_epoch (int): Index, from 0, of the first epoch that is fused.
        keep_epoch_maps (bool): Whether to keep all maps of an epoch until it
            ends.
        keep_latest (bool): Whether to keep :attr:`latest`.

    Attributes:
        store (AttentionStore): The accumulated maps M.
        candidates (Candidates): The latest maps of pairs never accepted.
        latest (AttentionStore | None): The latest accepted map of each pair,
            with `keep_latest`.
    """

    def __init__(
        self,
        fusion: str,
        start_epoch: int,
        keep_epoch_maps: bool,
        keep_latest: bool,
    ) -> None:
        self.fusion = fusion
        self.start_epoch = start_epoch
        self.keep_epoch_maps = keep_epoch_maps
        self.latest = AttentionStore() if keep_latest else None
        # Whether accepted maps wait for the end of their epoch.
        self._wait = (
            FUSIONS[fusion].needs_whole_epoch or keep_epoch_maps or keep_latest
        )
        self._clear(0)

    def _clear(self, epoch: int) -> None:
        self._epoch = epoch
        self._fusion = FUSIONS[self.fusion]()
        self.store = AttentionStore()
        self.candidates = Candidates()
        self._most_candidates = 0
        self._clear_epoch()

    def _clear_epoch(self) -> None:
        self._came = Arrivals()
        self._non_finite: set[Pair] = set()
        self._accepted = AttentionStore()  # the epoch's maps, if they wait
        self._rejected = AttentionStore()
        self._seen = AttentionStore()  # 1 where the network looked

    @property
    def epoch(self) -> int:
        """Index of the running epoch, from 0.

        Finishing an epoch goes on to the next one. Set it where an
        accumulation begins with another epoch than the first, before maps
        come.
        """
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        fused, old = self._fuses, self._epoch
        self._epoch = epoch
        if fused and not self._fuses and self._came:
            self._epoch = old
            raise ValueError(
                f'maps came as those of epoch {old} and are fused; now they '
                f'should be of epoch {epoch}, before start_epoch='
                f'{self.start_epoch}. Set `epoch` before the first map comes'
            )
        for pair, accepted in self._came.items():
            rank, attention = self.candidates.get(pair, (None, None))
            if rank != Candidates.rank(old, accepted):
                continue
            rank = Candidates.rank(epoch, accepted)
            self.candidates[pair] = rank, attention
            if accepted and not fused and self._fuses:
                self._add(pair, attention, True)

    @property
    def _fuses(self) -> bool:
        return self._epoch >= self.start_epoch

    def _add(
        self,
        pair: Pair,
        attention: np.ndarray,
        accepted: bool,
        seen: np.ndarray | None = None,
    ) -> None:
        """Take one map of the running epoch in."""
        self._came.add(pair, accepted)
        if accepted and self._wait:
            self._accepted.join(pair, attention)
            if seen is not None and self._fusion.needs_whole_epoch:
                self._seen.join(pair, seen)
        elif self.keep_epoch_maps:
            self._rejected.join(pair, attention)
        if not (accepted and self._fuses):
            rank = Candidates.rank(self._epoch, accepted)
            self._offer(pair, attention, rank)
            return
        self._forget_candidate(pair)
        if not self._wait:
            self._fusion.fuse(self.store, pair, attention)

    def _offer(self, pair: Pair, attention: np.ndarray, rank: int) -> None:
        known = pair in self.store.data or (
            self._fuses and pair in self._accepted.data
        )
        # A fallback map is in M and a candidate as well.
        if not known or pair in self.candidates:
            self.candidates.offer(pair, attention, rank)

    def _forget_candidate(self, pair: Pair) -> None:
        if pair in self.candidates:
            del self.candidates[pair]
            self.store.pop(pair, None)  # a fallback map, if there is any

    def _fuse_epoch(self) -> None:
        """Fuse the maps that wait, and begin the next epoch."""
        if self._fuses:
            for pair, attention in self._accepted.data.items():
                seen = self._seen.data.get(pair)
                self._fusion.fuse(self.store, pair, attention, seen)
            if self.latest is not None:
                self.latest.update(self._accepted.data)
        self._give_memory_back()
        self._clear_epoch()
        self._epoch += 1

    def _give_memory_back(self) -> None:
        """Copy the candidates, since a dictionary never shrinks by itself."""
        count = len(self.candidates)
        self._most_candidates = max(self._most_candidates, count)
        if 2 * count < self._most_candidates:
            self.candidates = Candidates(self.candidates)
            self._most_candidates = count

    def sections(self) -> Sections:
        """Return all that is known, as sections of a file.

        Returns:
            Sections: Those that are not empty.
        """
        sections = {
            'maps': self.store.data,
            'candidates': self.candidates.maps,
            'candidate_ranks': self.candidates.ranks,
            **self._fusion.sections(),
            'latest': (self.latest or AttentionStore()).data,
            'unfinished_pairs': dict(self._came.items()),
            'unfinished_non_finite': dict.fromkeys(self._non_finite, 1),
            'unfinished_accepted': self._accepted.data,
            'unfinished_rejected': self._rejected.data,
            'unfinished_seen': self._seen.data,
        }
        return {name: maps for name, maps in sections.items() if maps}

    def take_part(self, pairs_at_once: int) -> Iterator[Sections]:
        """Hand over all that has been collected, and collect from nothing.

        Args:
            pairs_at_once (int): The most pairs of a piece.

        Returns:
            Iterator[Sections]: Pieces for :meth:`merge` in another process.
        """
        sections = self.sections()
        sections.pop('latest', None)  # which is shared, not collected
        self._clear(self._epoch)
        return _pieces(sections, pairs_at_once)

    def merge(self, other: AttentionMemory | Sections) -> None:
        """Join what has been collected elsewhere in the same epoch.

        For ``'max'`` merging is commutative, associative and idempotent: the
        result is that of one memory that got all maps, whatever their order.
        For ``'mean'`` the finished epochs of the two have to be of different
        maps, while maps of the running epoch count once.

        Args:
            other (AttentionMemory | Sections): Another memory of the same
                settings, which stays as it is, or a piece that it has handed
                over.

        Raises:
            ValueError: The running epochs or the fusions differ, or maps of
                one image have different sizes.
        """
        if isinstance(other, AttentionMemory):
            ours, theirs = ((m._epoch, m.fusion) for m in (self, other))
            if ours != theirs:
                raise ValueError(
                    'only memories of one epoch and fusion can be merged, but '
                    f'these have (epoch, fusion) {ours} and {theirs}'
                )
            other = other.sections()
        self._merge(other)

    def _merge(self, sections: Sections) -> None:
        candidates = sections.get('candidates', {})
        # A fallback map in M stands for a pair that has a candidate.
        maps = sections.get('maps', {})
        maps = {pair: maps[pair] for pair in maps if pair not in candidates}
        for pair in maps:
            self._forget_candidate(pair)
        self._fusion.merge(self.store, {**sections, 'maps': maps})
        seen = sections.get('unfinished_seen', {})
        for pair, attention in sections.get('unfinished_accepted', {}).items():
            self._add(pair, attention, True, seen.get(pair))
        for pair, attention in sections.get('unfinished_rejected', {}).items():
            self._add(pair, attention, False)
        ranks = sections.get('candidate_ranks', {})
        for pair, attention in candidates.items():
            self._offer(pair, attention, ranks.get(pair, 0))
        for pair, accepted in sections.get('unfinished_pairs', {}).items():
            self._came.add(pair, bool(accepted))
        self._non_finite.update(sections.get('unfinished_non_finite', ()))
        if self.latest is not None:
            for pair, attention in sections.get('latest', {}).items():
                self.latest.join(pair, attention)

    def save(self, path: str | os.PathLike) -> str:
        """Write the memory to one file, atomically.

        The file is an attention store for :meth:`AttentionStore.load`, with
        the metadata of :attr:`store`. It also holds all that is needed to go
        on, at any point of an epoch.

        Args:
            path (str | os.PathLike): The file.

        Returns:
            str: The checksum of its contents.

        Raises:
            OSError: The file cannot be written; an old one stays as it was.
        """
        sections = self.sections()
        own = {'fusion': self.fusion, 'epoch': self._epoch}
        metadata = {**self.store.metadata, 'accumulator': own}
        return write_sections(path, sections, metadata)

    def load(self, path: str | os.PathLike) -> str:
        """Restore the memory that :meth:`save` wrote.

        A fallback map stands for a pair in the result of a finished training;
        going on, that pair is still without an accepted map.

        Args:
            path (str | os.PathLike): The file.

        Returns:
            str: The checksum of its contents.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no attention store, is damaged, or was
                accumulated with another `fusion`.
        """
        reader = AttentionReader(path)
        sections, metadata = reader.read(), reader.metadata
        own = metadata.pop('accumulator', {})
        fusion = own.get('fusion', 'max')
        if fusion != self.fusion:
            raise ValueError(
                f'{path} was accumulated with fusion={fusion!r}, it cannot be '
                f'continued with fusion={self.fusion!r}'
            )
        # Version 1 did not tell the epoch; a memory exists from the start on.
        begun = self.start_epoch if 'maps' in sections else 0
        self._clear(own.get('epoch', begun))
        if self.latest is not None:
            self.latest = AttentionStore()
        try:
            self._merge(sections)
        except (KeyError, ValueError) as error:
            raise ValueError(
                f'{path} is damaged: its sections do not fit ({error})'
            ) from error
        self.store.metadata = metadata
        return reader.checksum


def _pieces(sections: Sections, pairs_at_once: int) -> Iterator[Sections]:
    pairs = list({pair for maps in sections.values() for pair in maps})
    for start in range(0, len(pairs), pairs_at_once):
        some = pairs[start : start + pairs_at_once]
        yield {
            name: {pair: maps[pair] for pair in some if pair in maps}
            for name, maps in sections.items()
        }
