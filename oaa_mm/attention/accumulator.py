"""Online attention accumulation, without a runner."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from oaa_mm.checks import check_choice, check_number
from oaa_mm.io import check_image_id

from .accept import ACCEPTANCE_RULES
from .batch import labelled_maps
from .collector import CollectedEpoch, EpochCollector
from .fusion import EpochFusion
from .normalise import NORMS
from .pages import MapPages, Pair
from .place import Placement
from .store import AttentionStore
from .store_file import load_pages, save_pages
from .summary import EpochSummary

FUSIONS = ('max', 'mean')
FALLBACKS = ('last', 'none')


class AttentionAccumulator:
    """Fuse the attention maps of each epoch into cumulative maps.

    M_1 = A_1 and M_t = AF(M_{t-1}, A_t) per (image, class) pair, AF being the
    element-wise maximum or the mean (Jiang et al., ICCV 2019, Section 3.2).
    Maps are kept under their image id and in the image's own frame, so the
    order of the images, batching and recorded augmentations do not matter. If
    a pair comes several times in one epoch (repeated samples, several crops),
    its accepted maps are joined by their maximum first.

    Args:
        fusion (str): ``'max'``, or ``'mean'`` over the accepted maps (the
            article's ablation). Defaults to ``'max'``.
        acceptance (str): Which maps count, see
            :func:`~oaa_mm.attention.accept_pairs`: ``'topk'``,
            ``'threshold'``, ``'all_targets'`` or ``'none'``. Defaults to
            ``'topk'``.
        threshold (float): Least probability for ``acceptance='threshold'``,
            in [0, 1]. Defaults to 0.1.
        norm (str): ``'max'`` or ``'minmax'``, see
            :func:`~oaa_mm.attention.normalise_attention`. Defaults to
            ``'max'``.
        start_epoch (int): Index, from 0, of the first epoch that is fused.
            Defaults to 1: the first epoch only trains.
        fallback (str): ``'last'`` gives pairs that were never accepted the
            map of the last epoch; ``'none'`` leaves them out. Defaults to
            ``'last'``.
        keep_epoch_maps (bool): Keep the maps of the latest epoch alone in
            :attr:`epoch_maps`. Defaults to False.
        keep_latest (bool): Keep the latest accepted map of each pair alone,
            from `start_epoch` on, in :attr:`latest`, which is saved and
            loaded with the memory. Defaults to False.

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> accumulator = AttentionAccumulator(start_epoch=0)
        >>> scores = torch.tensor([[[[1., 2.], [0., 4.]]]])  # N = C = 1
        >>> accumulator.update(['dog'], scores, torch.ones(1, 1))
        >>> accumulator.finish_epoch(0).accepted
        1
        >>> accumulator.store['dog', 0]
        array([[ 64, 128],
               [  0, 255]], dtype=uint8)
    """

    def __init__(
        self,
        fusion: str = 'max',
        acceptance: str = 'topk',
        threshold: float = 0.1,
        norm: str = 'max',
        start_epoch: int = 1,
        fallback: str = 'last',
        keep_epoch_maps: bool = False,
        keep_latest: bool = False,
    ) -> None:
        for name, value, allowed in (
            ('fusion', fusion, FUSIONS),
            ('acceptance', acceptance, ACCEPTANCE_RULES),
            ('norm', norm, NORMS),
            ('fallback', fallback, FALLBACKS),
        ):
            check_choice(name, value, allowed)
        check_number('threshold', threshold, low=0, high=1)
        check_number('start_epoch', start_epoch, low=0, integer=True)
        self.fusion = fusion
        self.acceptance = acceptance
        self.threshold = threshold
        self.norm = norm
        self.start_epoch = start_epoch
        self.fallback = fallback
        self.keep_epoch_maps = keep_epoch_maps
        self.store = AttentionStore()
        self.epoch_maps: AttentionStore | None = None
        self.latest = AttentionStore() if keep_latest else None
        # Mean fusion keeps integer sums and counts: exact, so neither the
        # order of the maps nor an interruption can change the result.
        self._sums = MapPages(np.uint32)
        self._counts = MapPages(np.uint16)
        self._collector = self._new_collector(None)
        # Latest maps of pairs that no epoch has accepted yet.
        self._candidates = AttentionStore(beside=self.store)
        self._begun: tuple[int, EpochFusion] | None = None

    def _new_collector(self, begun: CollectedEpoch | None) -> EpochCollector:
        # Only the mean asks how often a cell was seen.
        return EpochCollector(record_seen=self.fusion == 'mean', begun=begun)

    @property
    def collecting(self) -> bool:
        """Whether an epoch has begun and is not finished."""
        return self._begun is not None or not self._collector.empty

    @property
    def never_accepted(self) -> int:
        """Number of pairs without any accepted map, filled or not."""
        return len(self._candidates)

    def begin_epoch(self, epoch: int) -> None:
        """Fuse the maps of this epoch as they come.

        Optional: without it the maps wait for :meth:`finish_epoch`, which
        takes the memory of all maps a second time. The result is the same.
        What is saved in the middle of such an epoch holds a part of it. No
        effect where the whole epoch is needed: for mean fusion, and with
        `keep_epoch_maps` or `keep_latest`.

        Args:
            epoch (int): Index of the epoch, from 0.
        """
        needs_all = self.keep_epoch_maps or self.latest is not None
        if self.fusion == 'max' and not needs_all:
            self._begun = epoch, self._new_fusion(epoch)
            self._collector.hand_on(self._begun[1].take)

    def _new_fusion(self, epoch: int) -> EpochFusion:
        return EpochFusion(
            self.store,
            self._candidates,
            fuse=epoch >= self.start_epoch,
            operation=np.maximum if self.fusion == 'max' else None,
        )

    def update(
        self,
        image_ids: Sequence[str],
        scores: Tensor,
        labels: Tensor,
        *,
        logits: Tensor | None = None,
        valid: Tensor | None = None,
        placements: Sequence[Placement | None] | None = None,
    ) -> None:
        """Collect the attention maps of one batch.

        Normalising, accepting and quantising run on the device of `scores`,
        batched and without waiting for it; nothing is fused before
        :meth:`finish_epoch`.

        Args:
            image_ids (Sequence[str]): N image ids.
            scores (Tensor): (N, C, h, w) score maps of the class-aware layer.
            labels (Tensor): (N, C) image-level labels, 0 or 1. Keep them on
                the CPU: elsewhere they have to be fetched.
            logits (Tensor | None): (N, C) class scores, if they are not the
                mean of `scores` over valid positions.
            valid (Tensor | None): (N, 2) height and width of each map without
                its padding at the bottom and right; None means no padding.
            placements (Sequence[Placement | None] | None): How each map lies
                in its image's frame; None for maps of the whole image as it
                is.

        Raises:
            ValueError: Shapes do not fit, or an image id cannot be the stem
                of a file name.
        """
        image_ids = [check_image_id(image_id) for image_id in image_ids]
        _check_counts(image_ids, placements, len(scores))
        batch = labelled_maps(
            scores,
            labels,
            logits=logits,
            valid=valid,
            acceptance=self.acceptance,
            threshold=self.threshold,
            norm=self.norm,
        )
        if not batch.pairs:
            return
        self._collector.collect(
            pairs=[(image_ids[image], c) for image, c in batch.pairs],
            maps=batch.maps,
            accepted=batch.accepted,
            finite=batch.finite,
            valid=batch.valid,
            placements=placements
            and [placements[image] for image, _ in batch.pairs],
        )

    def take_collected(self) -> CollectedEpoch:
        """Hand over what this process has collected, and forget it.

        Returns:
            CollectedEpoch: For :meth:`add_collected` of another process.
        """
        return self._collector.finish()

    def add_collected(self, part: CollectedEpoch) -> None:
        """Join what another process has collected in the running epoch.

        The result is that of one process that saw all batches, whatever the
        order of the parts; maps that came to both count once.

        Args:
            part (CollectedEpoch): Of :meth:`take_collected` there.

        Raises:
            ValueError: Maps of one image have different sizes.
        """
        self._collector.add(part)

    def finish_epoch(self, epoch: int, last: bool = False) -> EpochSummary:
        """Fuse what the epoch has collected into the memory.

        Args:
            epoch (int): Index of the epoch, from 0. Maps of epochs before
                `start_epoch` are not fused.
            last (bool): Whether training ends here, so that the fallback
                applies. Defaults to False.

        Returns:
            EpochSummary: Counts of the epoch.

        Raises:
            ValueError: :meth:`begin_epoch` was told another epoch, or maps of
                one image have different sizes.
        """
        begun, fusion = self._begun or (epoch, self._new_fusion(epoch))
        if begun != epoch:
            raise ValueError(f'epoch {begun} was begun, not {epoch}')
        collected = self._collector.finish()
        self._begun = None
        if self.latest is not None and epoch >= self.start_epoch:
            for pairs, maps in collected.accepted.blocks():
                self.latest.set(pairs, maps)
        if self.keep_epoch_maps:
            self.epoch_maps = collected.all_maps()
        self._fuse(fusion, collected, epoch)
        if last:
            self.apply_fallback()
        return EpochSummary(
            epoch=epoch,
            pairs=fusion.pairs,
            accepted=fusion.accepted,
            never_accepted=self.never_accepted,
            coverage=self.store.coverage,
            non_finite=collected.non_finite,
            all_zero=self.store.all_zero,
        )

    def apply_fallback(self) -> None:
        """Give pairs that were never accepted their latest map.

        :meth:`finish_epoch` does this in the last epoch; call it when
        training ends earlier than announced. Without effect for
        ``fallback='none'``.
        """
        if self.fallback == 'last':
            self.store.adopt(self._candidates)

    def _fuse(
        self, fusion: EpochFusion, collected: CollectedEpoch, epoch: int
    ) -> None:
        """Fuse what waited for the epoch's end."""
        for pairs, maps in collected.accepted.blocks():
            if self.fusion == 'mean' and epoch >= self.start_epoch:
                maps = self._means(pairs, maps, collected.seen.take(pairs))
            fusion.take(pairs, maps, True)
        for pairs, maps in collected.rejected.blocks():
            fusion.take(pairs, maps, False)

    def _means(
        self, pairs: list[Pair], maps: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """The means of pairs after one more map of each."""
        self._sums.add(pairs, maps)
        self._counts.add(pairs, seen)
        # Half up; a cell that no crop has shown yet stays 0.
        counts = self._counts.take(pairs).clip(1).astype(np.uint32)
        means = (self._sums.take(pairs) + counts // 2) // counts
        return means.astype(np.uint8)

    def save(
        self,
        path: str | os.PathLike,
        *,
        unfinished: bool = True,
        note: dict[str, str] | None = None,
    ) -> None:
        """Write the memory to one file, atomically.

        The file is an attention store for :meth:`AttentionStore.load`. It
        also holds what is needed to go on: the latest maps of pairs that were
        never accepted, what the unfinished epoch has collected and, for mean
        fusion, the sums and counts.

        Args:
            path (str | os.PathLike): The file.
            unfinished (bool): Whether to write what an unfinished epoch has
                collected; not, if that epoch will begin anew. Defaults to
                True.
            note (dict[str, str] | None): Further entries of the file's
                header, which :meth:`load` returns. Defaults to None.
        """
        sections: dict[str, MapPages] = {
            'maps': self.store,
            'candidates': self._candidates,
        }
        if self.fusion == 'mean':
            sections |= {'sums': self._sums, 'counts': self._counts}
        if self.latest is not None:
            sections['latest'] = self.latest
        metadata = {**(note or {}), 'fusion': self.fusion}
        if unfinished:
            begun = self._collector.so_far()
            sections |= _sections_of(begun)
            metadata['non_finite'] = str(begun.non_finite)
        save_pages(path, sections, metadata=metadata)

    def load(self, path: str | os.PathLike) -> dict[str, str]:
        """Restore the memory that :meth:`save` wrote.

        Args:
            path (str | os.PathLike): The file.

        Returns:
            dict[str, str]: The file's header, with what `note` added to it.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no attention store, is damaged, or was
                accumulated with another `fusion`.
        """
        store = AttentionStore()
        sections: dict[str, MapPages] = {
            'maps': store,
            'candidates': AttentionStore(beside=store),
            'sums': MapPages(np.uint32),
            'counts': MapPages(np.uint16),
            'latest': AttentionStore(),
        }
        begun = CollectedEpoch()
        sections |= _sections_of(begun)
        metadata = load_pages(path, sections)
        fusion = metadata.get('fusion', 'max')
        if fusion != self.fusion:
            raise ValueError(
                f'{path} was accumulated with fusion={fusion!r}, it cannot be '
                f'continued with fusion={self.fusion!r}'
            )
        begun.non_finite = int(metadata.get('non_finite', 0))
        self._collector, self._begun = self._new_collector(begun), None
        self._candidates = sections['candidates']
        self._sums, self._counts = sections['sums'], sections['counts']
        if self.latest is not None:
            self.latest = sections['latest']
        # A fallback map stands for a pair in the result of a finished
        # training; going on, that pair is still without an accepted map.
        self.store = store
        store.forget(store.keys_in(self._candidates))
        return metadata


def _check_counts(
    image_ids: Sequence[str],
    placements: Sequence[Placement | None] | None,
    count: int,
) -> None:
    if len(image_ids) != count:
        raise ValueError(
            f'{len(image_ids)} image_ids for scores of {count} images'
        )
    if placements is not None and len(placements) != count:
        raise ValueError(
            f'{len(placements)} placements for scores of {count} images'
        )


def _sections_of(begun: CollectedEpoch) -> dict[str, MapPages]:
    """Sections of a file for what an unfinished epoch has collected."""
    return {
        'unfinished_accepted': begun.accepted,
        'unfinished_rejected': begun.rejected,
        'unfinished_seen': begun.seen,
    }
