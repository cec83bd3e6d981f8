"""Pixel-adaptive refinement: scores flow between pixels of like colour.

After the idea of PAR (Ru et al., "Learning Affinity from Attention", CVPR
2022): each pixel takes the mean of its neighbours' scores, weighted by how
alike their colours and positions are, a few times over.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from oaa_mm.checks import check_choice, check_number

#: The eight directions of a 3 x 3 neighbourhood, (down, right).
_DIRECTIONS = tuple(
    (dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx
)


def pixel_adaptive_refine(
    image: np.ndarray,
    scores: np.ndarray,
    *,
    dilations: Sequence[int] = (1, 2, 4, 8, 12, 24),
    iterations: int = 10,
    color_width: float = 0.3,
    position_weight: float = 0.01,
    scale: float = 0.5,
    device: str = 'cpu',
) -> np.ndarray:
    """Refine scores by the colours of their image.

    The weights of a pixel's neighbours sum to 1, so each channel keeps its
    range: scores need not be probabilities, and channels do not compete.

    Args:
        image (np.ndarray): (H, W, 3) RGB, 0..255.
        scores (np.ndarray): (K, H, W) float, 0..1.
        dilations (Sequence[int]): Distances of the neighbours in pixels of
            the scaled image; each gives eight.
        iterations (int): Times that scores flow, >= 0.
        color_width (float): How unlike colours may be, as a multiple of
            their standard deviation in the neighbourhood, > 0.
        position_weight (float): Weight of nearness relative to colour, 0..1.
        scale (float): The refinement works on images and scores shrunk by
            it, in (0, 1]; the time goes with its square.
        device (str): Where it works, ``'cpu'`` or ``'cuda'``.

    Returns:
        np.ndarray: (K, H, W) float32 refined scores, 0..1.

    Raises:
        ValueError: A parameter is out of range, or there is no GPU.
    """
    check_number('len(dilations)', len(dilations), low=1)
    for dilation in dilations:
        check_number('dilations', dilation, low=1, integer=True)
    check_number('iterations', iterations, low=0, integer=True)
    check_number('scale', scale, low=0, high=1, excluded=0)
    check_number('position_weight', position_weight, low=0, high=1)
    check_number('color_width', color_width, low=0, excluded=0)
    devices = ('cpu', 'cuda') if torch.cuda.is_available() else ('cpu',)
    check_choice('device', device, devices)
    size = scores.shape[1:]
    small = [max(round(scale * length), 1) for length in size]
    arrays = [
        np.ascontiguousarray(array[None], np.float32)
        for array in (image.transpose(2, 0, 1), scores)
    ]
    pixels, scores = (
        F.interpolate(torch.as_tensor(a, device=device), small, mode='area')[0]
        for a in arrays
    )
    weights = affinity(pixels, dilations, color_width, position_weight)
    for _ in range(iterations):
        total = torch.zeros_like(scores)
        moved = _neighbours(scores, dilations)
        for weight, neighbour in zip(weights, moved, strict=True):
            total.addcmul_(weight, neighbour)
        scores = total
    large = F.interpolate(scores[None], size, mode='bilinear')[0]
    return large.clamp_(0, 1).cpu().numpy()


def affinity(
    image: Tensor,
    dilations: Sequence[int],
    color_width: float,
    position_weight: float,
) -> Tensor:
    """Weights of each pixel's neighbours.

    Args:
        image (Tensor): (3, H, W) float.
        dilations (Sequence[int]): D distances of the neighbours.
        color_width (float): See :func:`pixel_adaptive_refine`.
        position_weight (float): See :func:`pixel_adaptive_refine`.

    Returns:
        Tensor: (8 D, H, W), >= 0, with sum 1 over the neighbours.
    """
    moved = torch.stack(list(_neighbours(image, dilations)))
    gap = (moved - image).abs_()  # (8 D, 3, H, W)
    spread = moved.std(0, unbiased=False).clamp_min_(1)
    likeness = gap.div_(spread * color_width).square_().neg_().mean(1)
    steps = [d * math.hypot(*step) for d in dilations for step in _DIRECTIONS]
    near = torch.tensor(steps, device=image.device)
    near = -((near / near.std(unbiased=False).clamp_min(1)) ** 2)
    near = near.softmax(0)[:, None, None]
    return likeness.softmax(0).lerp(near, position_weight)


def _neighbours(tensor: Tensor, dilations: Sequence[int]) -> Iterator[Tensor]:
    """The tensor moved by each step; borders are repeated outwards."""
    height, width = tensor.shape[-2:]
    for dilation in dilations:
        # Replicates beyond the border whatever the size, unlike reflection.
        padded = F.pad(tensor, (dilation,) * 4, mode='replicate')
        for dy, dx in _DIRECTIONS:
            top, left = dilation * (1 + dy), dilation * (1 + dx)
            yield padded[..., top : top + height, left : left + width]
