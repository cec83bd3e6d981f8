"""OAA-drop: which pixels of an image are hidden from the network."""

from hashlib import blake2b

import numpy as np

from .place import Placement, from_frame


def attended_pixels(
    attention: np.ndarray,
    placement: Placement,
    size: tuple[int, int],
    *,
    threshold: float = 0.6,
) -> np.ndarray:
    """Pixels of the network's input that any of some maps attends to.

    Each map goes through the flip, the crop and the resize of the input, in
    a single bilinear resize, before it is compared with the threshold.

    Args:
        attention (np.ndarray): (K, h, w) uint8 maps in the frame of their
            image.
        placement (Placement): How the input lies in that frame.
        size (tuple[int, int]): Height H and width W of the input in pixels,
            without padding.
        threshold (float): Attention in [0, 1] that has to be exceeded.
            Defaults to 0.6.

    Returns:
        np.ndarray: (H, W) bool.
    """
    large = from_frame(attention, placement, size)
    return np.any(large > 255 * threshold, axis=0)


def is_dropped(image_id: str, *, epoch: int, seed: int, prob: float) -> bool:
    """Tell whether attended pixels of an image are hidden in an epoch.

    The random choice depends only on the arguments, so it is the same in any
    process, in any order of the images, and after an interruption.

    Args:
        image_id (str): The image.
        epoch (int): Index of the epoch, from 0.
        seed (int): Seed of the training.
        prob (float): Probability of an image to be chosen, in [0, 1].

    Returns:
        bool: True for a share `prob` of the images, others in each epoch.
    """
    text = f'{seed}/{epoch}/{image_id}'
    digest = blake2b(text.encode(), digest_size=7).digest()
    return int.from_bytes(digest, 'big') < prob * 256**7
