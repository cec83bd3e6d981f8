"""Pooling of score maps that knows what is padding."""

from __future__ import annotations

import torch
from torch import Tensor


def valid_mask(valid: Tensor, size: tuple[int, int]) -> Tensor:
    """Mark the positions of padded maps that belong to the image.

    Args:
        valid (Tensor): (N, 2) integers, the height and width of each map
            without its padding, which lies at the bottom and at the right.
        size (tuple[int, int]): Height h and width w of the padded maps.

    Returns:
        Tensor: (N, h, w) bool.
    """
    rows = torch.arange(size[0], device=valid.device) < valid[:, :1]
    columns = torch.arange(size[1], device=valid.device) < valid[:, 1:]
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
    inside = valid_mask(valid, scores.shape[-2:])[:, None]
    # Not a product with the mask: 0 * Inf of a padded position is NaN.
    total = scores.where(inside, 0.0).sum((2, 3))
    return total / valid.prod(1, keepdim=True)
