"""Online attention accumulation, without a runner."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from oaa_mm.checks import check_choice, check_number
from oaa_mm.io import check_image_id

from .accept import ACCEPTANCE_RULES
from .fuse import FUSIONS
from .maps import NORMS, labelled_maps
from .memory import AttentionMemory
from .place import Placement
from .reader import AttentionReader
from .store import AttentionStore
from .summary import EpochSummary


@dataclass(eq=False)
class AttentionAccumulator(AttentionMemory):
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
        keep_epoch_maps (bool): Keep the maps of only the latest epoch in
            :attr:`epoch_maps`. Defaults to False.
        keep_latest (bool): Keep the latest accepted map of each pair alone,
            from `start_epoch` on, in :attr:`latest`, which is saved and
            loaded with the memory. Defaults to False.

    Attributes:
        epoch_maps (AttentionStore | None): The maps of the latest finished
            epoch, with `keep_epoch_maps`.
        latest (AttentionStore | None): The latest accepted maps, with
            `keep_latest`.
        store (AttentionStore): The accumulated maps M.

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

    fusion: str = 'max'
    acceptance: str = 'topk'
    threshold: float = 0.1
    norm: str = 'max'
    start_epoch: int = 1
    fallback: str = 'last'
    keep_epoch_maps: bool = False
    keep_latest: bool = False

    def __post_init__(self) -> None:
        """Check the settings, and begin with nothing."""
        check_choice('fusion', self.fusion, FUSIONS)
        check_choice('acceptance', self.acceptance, ACCEPTANCE_RULES)
        check_choice('norm', self.norm, NORMS)
        check_choice('fallback', self.fallback, ('last', 'none'))
        check_number('threshold', self.threshold, low=0, high=1)
        check_number('start_epoch', self.start_epoch, low=0, integer=True)
        self.latest = AttentionStore() if self.keep_latest else None
        self.epoch_maps: AttentionStore | None = None
        self._clear(0)

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
        batched and without waiting for it. Some batches wait on the CPU
        before they are fused.

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
                in its image's frame; None for maps of the whole image.

        Raises:
            ValueError: Shapes do not fit, or an image id is no file name.
        """
        image_ids = [check_image_id(image_id) for image_id in image_ids]
        given_for = {'image_ids': image_ids, 'placements': placements}
        for name, given in given_for.items():
            if given is not None and len(given) != len(scores):
                raise ValueError(
                    f'{len(given)} {name} for scores of {len(scores)} images'
                )
        batch = labelled_maps(
            scores,
            labels,
            logits=logits,
            valid=valid,
            acceptance=self.acceptance,
            threshold=self.threshold,
            norm=self.norm,
        )
        if batch.images:
            self._waiting.add(batch, image_ids, placements)
        if self._waiting.full:
            self._place_waiting()

    def finish_epoch(self, epoch: int, last: bool = False) -> EpochSummary:
        """End the running epoch.

        Args:
            epoch (int): Its index, from 0. Maps of epochs before
                `start_epoch` are not fused.
            last (bool): Whether training ends here, so that the fallback
                applies. Defaults to False.

        Returns:
            EpochSummary: Counts of the epoch.

        Raises:
            ValueError: Maps of one image have different sizes, or maps that
                have been fused are of an epoch before `start_epoch`.
        """
        self._place_waiting()
        self.epoch = epoch
        accepted = [accepted for _, accepted in self._arrivals()]
        non_finite = len(self._non_finite)
        if self.keep_epoch_maps:
            self.epoch_maps = AttentionStore(self._rejected | self._accepted)
        if self._fuses:
            for pair, attention in self._accepted.items():
                seen = self._seen.get(pair)
                self._fusion.fuse(self.store, pair, attention, seen)
            if self.latest is not None:
                self.latest.update(self._accepted)
        self._clear_epoch()
        self._epoch += 1
        # A dictionary shrinks only by being copied.
        self.candidates, self._ranks = dict(self.candidates), dict(self._ranks)
        if last:
            self.apply_fallback()
        coverage, all_zero = self.store.measure()
        return EpochSummary(
            epoch=epoch,
            pairs=len(accepted),
            accepted=sum(accepted) if epoch >= self.start_epoch else 0,
            never_accepted=len(self.candidates),
            coverage=coverage,
            non_finite=non_finite,
            all_zero=all_zero,
        )

    def apply_fallback(self) -> None:
        """Give pairs that were never accepted their latest map.

        :meth:`finish_epoch` does this in the last epoch; call it when
        training ends earlier than announced. Without effect for
        ``fallback='none'``.
        """
        if self.fallback == 'last':
            self.store.update(self.candidates)

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
                f'{path} was accumulated with fusion={fusion!r} and cannot be '
                f'continued with fusion={self.fusion!r}'
            )
        # Version 1 did not tell the epoch; a memory exists from the start on.
        begun = self.start_epoch if 'maps' in sections else 0
        self._clear(own.get('epoch', begun))
        if self.latest is not None:
            self.latest = AttentionStore()
        try:
            self.merge(sections)
        except (KeyError, ValueError) as error:
            raise ValueError(
                f'{path} is damaged: its sections do not fit ({error})'
            ) from error
        self.store.metadata = metadata
        return reader.checksum
