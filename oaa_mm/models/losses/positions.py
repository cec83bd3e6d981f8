"""Which positions of a batch count, and with which numbers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from oaa_mm.attention import valid_mask


def positions_inside(
    logits: Tensor, target: Tensor, valid: Tensor | None
) -> Tensor:
    """Mark the positions that count, and check what they are marked on.

    Args:
        logits (Tensor): (N, C, h, w).
        target (Tensor): Of the same shape, floating, in [0, 1].
        valid (Tensor | None): (N, 2) height and width of each map without
            its padding at the bottom and right; None counts every position.

    Returns:
        Tensor: (N, 1, h, w) bool, on the device of `logits`.

    Raises:
        ValueError: The shapes do not fit, or `target` holds integers.
    """
    if logits.ndim != 4 or logits.shape != target.shape:
        raise ValueError(
            'expected logits and target of one shape (N, C, h, w), but got '
            f'{tuple(logits.shape)} and {tuple(target.shape)}'
        )
    if not target.is_floating_point():
        raise ValueError(
            f'target is {target.dtype}, but attention in [0, 1] is needed: '
            'divide uint8 maps by 255'
        )
    count, _, *size = logits.shape
    if valid is None:
        return logits.new_ones((count, 1, *size), dtype=torch.bool)
    if tuple(valid.shape) != (count, 2):
        raise ValueError(
            f'valid should be ({count}, 2), but got {tuple(valid.shape)}'
        )
    return valid_mask(valid.to(logits.device), tuple(size))[:, None]


def log_sigmoids(logits: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """log(sigmoid(x)) and log(1 - sigmoid(x)), exact for any x.

    At least float32, also where autocast made the logits half precision.
    Formulas through sigmoid itself saturate: from x = 17 on, log(1 -
    sigmoid(x)) has no gradient in float32, and a confidently wrong position
    would never recover.

    Args:
        logits (Tensor): (N, C, h, w).
        inside (Tensor): (N, 1, h, w) bool; elsewhere the logits are replaced
            by 0, so that neither Inf nor NaN comes back from there.

    Returns:
        tuple[Tensor, Tensor]: Both of the shape of `logits`.
    """
    precise = torch.promote_types(logits.dtype, torch.float32)
    logits = logits.to(precise).where(inside, 0.0)
    return F.logsigmoid(logits), F.logsigmoid(-logits)
