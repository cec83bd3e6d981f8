"""The memory of accumulated maps, and how two memories are merged."""

import os
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from .by_image import Pair, check_same_size, join_map
from .fuse import FUSIONS
from .store import AttentionStore
from .store_file import Sections, write_sections
from .waiting import WaitingBatches


class AttentionMemory:
    """The accumulated maps M, the candidates, and the running epoch.

    A pair (image, class) that was accepted since the accumulation began has a
    map in M; any other pair that came is a candidate, with its latest map.
    """

    fusion: str
    start_epoch: int
    keep_epoch_maps: bool
    latest: AttentionStore | None

    def _clear(self, epoch: int) -> None:
        self._epoch = epoch
        self._fusion = FUSIONS[self.fusion]()
        # Whether accepted maps wait for the end of their epoch.
        keep = self.keep_epoch_maps or self.latest is not None
        self._wait = keep or self._fusion.needs_whole_epoch
        self._waiting = WaitingBatches()
        self.store = AttentionStore()
        self.candidates: dict[Pair, np.ndarray] = {}
        self._ranks: dict[Pair, int] = {}  # of the candidates
        self._clear_epoch()

    def _clear_epoch(self) -> None:
        # Class -> image id -> whether a map of the epoch was accepted. A
        # dictionary of pairs would take a fifth of the memory of the maps.
        self._came: dict[int, dict[str, bool]] = defaultdict(dict)
        self._non_finite: set[Pair] = set()
        self._accepted: dict[Pair, np.ndarray] = {}  # if they wait
        self._rejected: dict[Pair, np.ndarray] = {}
        self._seen: dict[Pair, np.ndarray] = {}  # 1 where the network looked

    @property
    def epoch(self) -> int:
        """Index of the running epoch, from 0.

        Finishing an epoch goes on to the next one. Set it, before maps come,
        where an accumulation begins with another epoch than the first.
        """
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        """Give the running epoch another index."""
        old = self._epoch
        if epoch == old:
            return
        self._place_waiting()  # what came before is of the old epoch
        if epoch < self.start_epoch <= old and self._came:
            raise ValueError(
                f'maps came as those of epoch {old} and are fused; now they '
                f'should be of epoch {epoch}, before start_epoch='
                f'{self.start_epoch}. Set `epoch` before the first map comes'
            )
        self._epoch = epoch
        for pair, accepted in self._arrivals():
            if self._ranks.get(pair) == _rank(old, accepted):
                self._ranks[pair] = _rank(epoch, accepted)
                if accepted and self._fuses:
                    self._add(pair, self.candidates[pair], True)

    @property
    def _fuses(self) -> bool:
        return self._epoch >= self.start_epoch

    def _arrivals(self) -> Iterator[tuple[Pair, bool]]:
        """Pairs of the epoch, and whether a map of each was accepted."""
        for class_index, images in self._came.items():
            for image_id, accepted in images.items():
                yield (image_id, class_index), accepted

    def _place_waiting(self) -> None:
        """Move the waiting batches into the memory."""
        for pair, attention, accepted, finite, seen in self._waiting.take():
            if finite:
                self._add(pair, attention, accepted, seen)
            else:
                self._non_finite.add(pair)

    def _add(
        self,
        pair: Pair,
        attention: np.ndarray,
        accepted: bool,
        seen: np.ndarray | None = None,
    ) -> None:
        """Add one map of the running epoch."""
        self._note_arrival(pair, accepted)
        if accepted and self._wait:
            join_map(self._accepted, pair, attention)
            if seen is not None and self._fusion.needs_whole_epoch:
                join_map(self._seen, pair, seen)
        elif self.keep_epoch_maps:
            join_map(self._rejected, pair, attention)
        if not (accepted and self._fuses):
            self._offer(pair, attention, _rank(self._epoch, accepted))
            return
        self._forget_candidate(pair)
        if not self._wait:
            self._fusion.fuse(self.store, pair, attention)

    def _note_arrival(self, pair: Pair, accepted: bool) -> None:
        image_id, class_index = pair
        came = self._came[class_index]
        if accepted or image_id not in came:
            came[image_id] = accepted

    def _offer(self, pair: Pair, attention: np.ndarray, rank: int) -> None:
        """Make a map the candidate of its pair, unless it has a better one."""
        mine = self.candidates.get(pair)
        if mine is None:
            accepted = self._fuses and pair in self._accepted
            if accepted or pair in self.store.data:
                return
        elif rank < self._ranks[pair]:
            return
        elif rank > self._ranks[pair]:
            check_same_size(pair, mine, attention)
            mine[:] = 0
        self._ranks[pair] = rank
        join_map(self.candidates, pair, attention)

    def _forget_candidate(self, pair: Pair) -> None:
        if pair in self._ranks:
            del self._ranks[pair], self.candidates[pair]
            self.store.pop(pair, None)  # a fallback map, if there is any

    def sections(self) -> Sections:
        """Return all that is known, as sections of a file.

        Returns:
            Sections: Those that are not empty.
        """
        self._place_waiting()
        sections = {
            'maps': self.store.data,
            'candidates': self.candidates,
            'candidate_ranks': self._ranks,
            **self._fusion.sections(),
            'latest': self.latest and self.latest.data,
            'unfinished_pairs': dict(self._arrivals()),
            'unfinished_non_finite': dict.fromkeys(self._non_finite, 1),
            'unfinished_accepted': self._accepted,
            'unfinished_rejected': self._rejected,
            'unfinished_seen': self._seen,
        }
        return {name: maps for name, maps in sections.items() if maps}

    def take_part(self) -> Sections:
        """Return all that has been collected, and begin with nothing again.

        Returns:
            Sections: The argument of :meth:`merge` in another process.
        """
        sections = self.sections()
        sections.pop('latest', None)  # which is shared, not collected
        self._clear(self._epoch)
        return sections

    def merge(self, other: 'AttentionMemory | Sections') -> None:
        """Add the maps that were collected elsewhere in the same epoch.

        For ``'max'`` merging is commutative, associative and idempotent: the
        result is that of one memory that got all maps, whatever their order.
        For ``'mean'`` the finished epochs of the two have to be of different
        maps, while maps of the running epoch count once.

        Args:
            other (AttentionMemory | Sections): Another memory of the same
                settings, which stays as it is, or a piece of it.

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
        part = defaultdict(dict, other)
        # A fallback map in M stands for a pair that has a candidate.
        for pair in part['maps'].keys() - part['candidates'].keys():
            self._forget_candidate(pair)
            values = (part[name][pair] for name in self._fusion.parts)
            self._fusion.fuse(self.store, pair, *values)
        for pair, attention in part['unfinished_accepted'].items():
            seen = part['unfinished_seen'].get(pair)
            self._add(pair, attention, True, seen)
        for pair, attention in part['unfinished_rejected'].items():
            self._add(pair, attention, False)
        for pair, attention in part['candidates'].items():
            self._offer(pair, attention, part['candidate_ranks'].get(pair, 0))
        for pair, accepted in part['unfinished_pairs'].items():
            self._note_arrival(pair, bool(accepted))
        self._non_finite.update(part['unfinished_non_finite'])
        if self.latest is not None:
            for pair, attention in part['latest'].items():
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
        own = {'fusion': self.fusion, 'epoch': self._epoch}
        metadata = {**self.store.metadata, 'accumulator': own}
        return write_sections(path, self.sections(), metadata)


def _rank(epoch: int, accepted: bool) -> int:
    """Rank of a candidate: by its epoch, then by whether it was accepted.

    A map of higher rank replaces the candidate, maps of equal rank are joined
    by their maximum, so neither order nor repeats change the result. Ranks
    are at least 2; smaller ones are for epochs unknown.
    """
    return 2 * (epoch + 1) + accepted
