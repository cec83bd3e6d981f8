"""From maps at feature resolution to maps at image resolution."""

from __future__ import annotations

import cv2
import numpy as np


def attention_to_image(
    attention: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Resize an attention map to its image and stretch it to 0..255.

    Cubic interpolation, then min-max normalisation: the a_k that pseudo-label
    composition, evaluation and pictures use. A constant map becomes all zero.

    Args:
        attention (np.ndarray): (h, w), uint8 0..255 or float 0..1.
        size (tuple[int, int]): Height H and width W of the image in pixels.

    Returns:
        np.ndarray: (H, W) uint8, 0..255.
    """
    scale = 1.0 if attention.dtype == np.uint8 else 255.0
    large = attention.astype(np.float32) * scale
    if large.shape != tuple(size):
        large = cv2.resize(
            large, (size[1], size[0]), interpolation=cv2.INTER_CUBIC
        )
    # Cubic overshoot would raise the peak above the values that were there.
    large = large.clip(0, 255)
    low, high = float(large.min()), float(large.max())
    if high <= low:
        return np.zeros(size, np.uint8)
    return np.rint((large - low) * (255 / (high - low))).astype(np.uint8)
