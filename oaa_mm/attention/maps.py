"""From class-aware score maps to attention maps, as they are stored."""

from dataclasses import dataclass

import torch
from torch import Tensor

from oaa_mm.checks import check_choice

from .accept import accept_pairs

NORMS = ('max', 'minmax')


def valid_mask(valid: Tensor, maps: Tensor) -> Tensor:
    """Mark the positions of padded maps that belong to the image.

    Args:
        valid (Tensor): (N, 2) integers, the height and width of each map
            without its padding, which lies at the bottom and at the right.
            Nothing waits for their way from the CPU to the device.
        maps (Tensor): (N, ..., h, w) padded maps.

    Returns:
        Tensor: (N, h, w) bool, on the device of `maps`.
    """
    height, width = maps.shape[-2:]
    valid = valid.to(maps.device, non_blocking=True)
    rows = torch.arange(height, device=maps.device) < valid[:, :1]
    columns = torch.arange(width, device=maps.device) < valid[:, 1:]
    return rows[:, :, None] & columns[:, None, :]


def mean_scores(scores: Tensor, *, valid: Tensor | None = None) -> Tensor:
    """Class scores of an image: the mean of its score maps.

    Global average pooling over the positions that belong to the image.

    Args:
        scores (Tensor): (N, C, h, w) score maps.
        valid (Tensor | None): (N, 2) height and width of each map without
            padding; None means that the maps are not padded.

    Returns:
        Tensor: (N, C) float32; gradients flow.
    """
    scores = scores.float()
    if valid is None:
        return scores.mean((2, 3))
    inside = valid_mask(valid, scores)[:, None]
    # Not a product with the mask: 0 * Inf of a padded position is NaN.
    total = scores.where(inside, 0.0).sum((2, 3))
    return total / inside.sum((2, 3))


def normalise_attention(
    scores: Tensor, *, valid: Tensor | None = None, norm: str = 'max'
) -> Tensor:
    """Attention maps of one forward pass: ReLU and division by the maximum.

    A = ReLU(F) / max(ReLU(F)), per map (Jiang et al., ICCV 2019, Section 3.1;
    ``norm='max'``). The Caffe release subtracts the minimum as well
    (``norm='minmax'``). A map without a positive score becomes all zero.

    Args:
        scores (Tensor): (P, h, w) score maps F, any floating type.
        valid (Tensor | None): (P, 2) height and width of each map without
            padding; None means that the maps are not padded. Padded positions
            never count for the maximum and become 0.
        norm (str): ``'max'`` or ``'minmax'``. Defaults to ``'max'``.

    Returns:
        Tensor: (P, h, w) float32 in [0, 1].

    Raises:
        ValueError: `norm` is unknown.
    """
    check_choice('norm', norm, NORMS)
    maps = scores.detach().float().relu()
    inside = None
    if valid is not None:
        inside = valid_mask(valid, maps)
        maps = maps.where(inside, 0.0)
    if norm == 'minmax':
        low = maps if inside is None else maps.masked_fill(~inside, torch.inf)
        maps = (maps - low.amin((-2, -1), keepdim=True)).clamp_min_(0)
    peak = maps.amax((-2, -1), keepdim=True)
    return maps / peak.where(peak > 0, torch.ones_like(peak))


def quantise_attention(attention: Tensor) -> Tensor:
    """Attention maps as they are stored: round(255 * A).

    Rounding is monotonic, so the element-wise maximum of quantised maps is
    the quantised maximum: the accumulation loses nothing by it.

    Args:
        attention (Tensor): Maps in [0, 1], any shape.

    Returns:
        Tensor: uint8, same shape.
    """
    # By way of int16, which torch converts four times as fast on CPUs.
    return (attention * 255).round_().to(torch.int16).to(torch.uint8)


@dataclass(frozen=True, eq=False)
class LabelledMaps:
    """Maps of the P labelled (image, class) pairs of a batch of N images.

    Attributes:
        images (list[int]): Number of each pair's image in the batch.
        classes (list[int]): Class of each pair.
        maps (Tensor): (P, h, w) uint8, with their padding.
        accepted (Tensor): (P,) bool, whether the map counts. One that is
            zero everywhere never does.
        finite (Tensor): (P,) bool, False where its scores hold NaN or +Inf;
            -Inf is no attention.
        valid (list[list[int]] | None): N heights and widths without padding;
            None where nothing is padded.
    """

    images: list[int]
    classes: list[int]
    maps: Tensor
    accepted: Tensor
    finite: Tensor
    valid: list[list[int]] | None


def labelled_maps(
    scores: Tensor,
    labels: Tensor,
    *,
    logits: Tensor | None,
    valid: Tensor | None,
    acceptance: str,
    threshold: float,
    norm: str,
) -> LabelledMaps:
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
        acceptance (str): See :func:`accept_pairs`.
        threshold (float): For ``'threshold'``.
        norm (str): See :func:`normalise_attention`.

    Returns:
        LabelledMaps: The maps; none if no label is set.

    Raises:
        ValueError: Shapes do not fit, or a rule is unknown.
    """
    _check_shapes(scores, labels, valid)
    labels = labels.detach().cpu()
    images, classes = labels.nonzero(as_tuple=True)
    device = scores.device
    scores = scores.detach()
    if logits is None:
        logits = mean_scores(scores, valid=valid)
    accepted = accept_pairs(
        logits, labels, acceptance=acceptance, threshold=threshold
    )
    at = images.to(device, non_blocking=True)
    of = classes.to(device, non_blocking=True)
    # Rows of one index are copied several times as fast as those of two.
    row = at * scores.shape[1] + of
    picked = scores.flatten(0, 1).index_select(0, row)  # (P, h, w)
    maps = normalise_attention(
        picked, valid=None if valid is None else valid[images], norm=norm
    )
    # NaN and +Inf survive in the maximum; such a map must never be fused.
    finite = picked.amax((1, 2)).isfinite()
    maps = quantise_attention(maps.nan_to_num_(0, 0, 0))
    # A map without attention tells nothing of a class that is there.
    attended = maps.amax((1, 2)) > 0
    return LabelledMaps(
        images=images.tolist(),
        classes=classes.tolist(),
        maps=maps,
        accepted=accepted[at, of] & finite & attended,
        finite=finite,
        valid=None if valid is None else valid.tolist(),
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
