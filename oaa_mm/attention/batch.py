"""The attention maps of one batch, ready to be collected."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .accept import accept_pairs
from .normalise import normalise_attention, quantise_attention
from .pooling import mean_scores


@dataclass(frozen=True, eq=False)
class BatchMaps:
    """Maps of the P labelled (image, class) pairs of a batch.

    Attributes:
        pairs (list[tuple[int, int]]): Number of the image in the batch, and
            class.
        maps (Tensor): (P, h, w) uint8, with their padding.
        accepted (Tensor): (P,) bool, whether the map counts. One that is
            zero everywhere never does.
        finite (Tensor): (P,) bool, False where its scores hold NaN or +Inf;
            -Inf is no attention.
        valid (list[list[int]] | None): P heights and widths without padding;
            None where nothing is padded.
    """

    pairs: list[tuple[int, int]]
    maps: Tensor
    accepted: Tensor
    finite: Tensor
    valid: list[list[int]] | None


def labelled_maps(
    scores: Tensor,
    labels: Tensor,
    *,
    logits: Tensor | None = None,
    valid: Tensor | None = None,
    acceptance: str = 'topk',
    threshold: float = 0.1,
    norm: str = 'max',
) -> BatchMaps:
    """Normalise, accept and quantise the maps of all labelled pairs.

    Runs on the device of `scores` without waiting for it.

    Args:
        scores (Tensor): (N, C, h, w) score maps of the class-aware layer.
        labels (Tensor): (N, C) image-level labels, 0 or 1. Keep them on the
            CPU: elsewhere they have to be fetched.
        logits (Tensor | None): (N, C) class scores, if they are not the mean
            of `scores` over valid positions.
        valid (Tensor | None): (N, 2) height and width of each map without
            its padding at the bottom and right; None means no padding.
        acceptance (str): See :func:`accept_pairs`. Defaults to ``'topk'``.
        threshold (float): For ``'threshold'``. Defaults to 0.1.
        norm (str): See :func:`normalise_attention`. Defaults to ``'max'``.

    Returns:
        BatchMaps: The maps; none if no label is set.

    Raises:
        ValueError: Shapes do not fit, or a rule is unknown.
    """
    _check_shapes(scores, labels, valid)
    labels = labels.detach().cpu()
    images, classes = labels.nonzero(as_tuple=True)
    device = scores.device
    scores = scores.detach()
    on_device = None
    if valid is not None:
        valid = valid.detach()
        on_device = valid.to(device, non_blocking=True)
    if logits is None:
        logits = mean_scores(scores, valid=on_device)
    accepted = accept_pairs(
        logits,
        labels.to(device, non_blocking=True),
        acceptance=acceptance,
        threshold=threshold,
    )
    at = images.to(device, non_blocking=True)
    of = classes.to(device, non_blocking=True)
    picked = scores[at, of]  # (P, h, w)
    maps = normalise_attention(
        picked, valid=None if on_device is None else on_device[at], norm=norm
    )
    # NaN and +Inf survive in the maximum; such a map must never be fused.
    finite = picked.amax((1, 2)).isfinite()
    maps = quantise_attention(maps.nan_to_num(0, 0, 0))
    # A map without attention tells nothing of a class that is there.
    attended = maps.amax((1, 2)) > 0
    return BatchMaps(
        pairs=list(zip(images.tolist(), classes.tolist(), strict=True)),
        maps=maps,
        accepted=accepted[at, of] & finite & attended,
        finite=finite,
        valid=None if valid is None else valid.cpu()[images].tolist(),
    )


def _check_shapes(
    scores: Tensor, labels: Tensor, valid: Tensor | None
) -> None:
    if scores.ndim != 4 or labels.shape != scores.shape[:2]:
        raise ValueError(
            'expected scores (N, C, h, w) and labels (N, C), but got '
            f'{tuple(scores.shape)} and {tuple(labels.shape)}'
        )
    if valid is not None and tuple(valid.shape) != (len(scores), 2):
        raise ValueError(
            f'valid should be ({len(scores)}, 2), but got {tuple(valid.shape)}'
        )
