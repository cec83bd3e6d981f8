"""Saliency maps with the faults that real ones have."""

from __future__ import annotations

import cv2
import numpy as np


def imperfect_saliency(
    rng: np.random.Generator, layers: np.ndarray
) -> np.ndarray:
    """What a salient object detector might say: blurred, and partly wrong.

    The first object is always found; others are missed now and then, and a
    distractor may be taken for an object.

    Args:
        rng (np.random.Generator): Source of the mistakes.
        layers (np.ndarray): (H, W) int16; k for the k-th object, -k for the
            k-th distractor, 0 for the ground.

    Returns:
        np.ndarray: (H, W) uint8, 0..255.
    """
    strength = np.zeros(layers.shape, dtype=np.float32)
    for k in range(1, layers.max() + 1):
        missed = k > 1 and rng.random() < 0.2
        low, high = (0.0, 0.3) if missed else (0.75, 1.0)
        strength[layers == k] = rng.uniform(low, high)
    for k in range(1, -layers.min() + 1):
        if rng.random() < 0.12:
            strength[layers == -k] = rng.uniform(0.4, 0.9)
    radius = int(rng.integers(1, 4))
    kernel = np.ones((2 * radius + 1,) * 2, dtype=np.uint8)
    reshape = cv2.dilate if rng.random() < 0.5 else cv2.erode
    strength = cv2.GaussianBlur(
        reshape(strength, kernel), (0, 0), rng.uniform(1, 3)
    )
    cells = rng.normal(0, 0.05, (16, 16)).astype(np.float32)
    strength += cv2.resize(cells, layers.shape[::-1])
    return np.round(np.clip(strength, 0, 1) * 255).astype(np.uint8)
