"""From class-aware score maps to attention maps in [0, 1] and in uint8."""

from __future__ import annotations

import torch
from torch import Tensor

from oaa_mm.checks import check_choice

from .pooling import valid_mask

NORMS = ('max', 'minmax')


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
        inside = valid_mask(valid, maps.shape[-2:])
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
    return (attention * 255).round().to(torch.uint8)
