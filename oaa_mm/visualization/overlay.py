"""Attention and masks drawn over their image, in the classes' colours."""

from collections.abc import Mapping

import cv2
import numpy as np

from oaa_mm.attention.place import resize_attention
from oaa_mm.checks import check_number
from oaa_mm.io import voc_colormap

#: Attention at which the ramp shows the pure class colour.
RAMP_PEAK = 0.6


def class_color(class_index: int) -> tuple[int, int, int]:
    """The colour that VOC gives to a class in masks.

    Args:
        class_index (int): 0-based foreground class; its mask value is one
            higher.

    Returns:
        tuple[int, int, int]: RGB, 0..255.
    """
    return tuple(voc_colormap()[class_index + 1].tolist())


def attention_ramp(attention: np.ndarray, class_index: int) -> np.ndarray:
    """Colours from black over the class colour to a light tint.

    Args:
        attention (np.ndarray): (H, W) float, 0..1.
        class_index (int): 0-based foreground class.

    Returns:
        np.ndarray: (H, W, 3) float32 RGB, 0..255.
    """
    color = np.array(class_color(class_index), np.float32)
    # Not all white: the brightest parts should still tell their class.
    stops = np.stack([color * 0, color, 0.5 * color + 0.5 * 255])
    where = (0, RAMP_PEAK, 1)
    channels = [np.interp(attention, where, stops[:, i]) for i in range(3)]
    return np.stack(channels, -1).astype(np.float32)


def overlay_attention(
    image: np.ndarray,
    attention: Mapping[int, np.ndarray],
    *,
    alpha: float = 0.6,
) -> np.ndarray:
    """Blend attention maps of one or several classes over an image.

    Each map is drawn as a ramp from black over its class's colour to a light
    tint; where classes overlap, their colours mix in proportion to their
    attention.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        attention (Mapping[int, np.ndarray]): Class index -> (h, w) map, uint8
            0..255 or float 0..1; resized (cubic) to the image.
        alpha (float): Weight of the colours, 0..1; the image, greyed as much,
            has the rest. Defaults to 0.6.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB.

    Raises:
        ValueError: `image` is not an RGB image, or `alpha` not in [0, 1].
    """
    _check(image, alpha)
    size = image.shape[:2]
    mixed = np.zeros(image.shape, np.float32)
    weight = np.full((*size, 1), 1e-6, np.float32)
    for class_index, small in attention.items():
        # Not stretched: dim maps should look dim.
        large = resize_attention(np.asarray(small), size) / 255
        mixed += large[..., None] * attention_ramp(large, class_index)
        weight += large[..., None]
    # A greyer image leaves the colours to the classes.
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    base = (1 - alpha) * image + alpha * grey
    blend = (1 - alpha) * base + alpha * (mixed / weight)
    return np.rint(blend).astype(np.uint8)


def overlay_mask(
    image: np.ndarray, mask: np.ndarray, *, alpha: float = 0.6
) -> np.ndarray:
    """Blend a mask over an image; pixels of value 255 become near white.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        mask (np.ndarray): (H, W) uint8: 0 background, c + 1 class c, 255
            ignored.
        alpha (float): Weight of the colours, 0..1. Defaults to 0.6.

    Returns:
        np.ndarray: (H, W, 3) uint8 RGB.

    Raises:
        ValueError: The sizes differ, `image` is not an RGB image, or `alpha`
            not in [0, 1].
    """
    _check(image, alpha)
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f'the mask is {mask.shape} (H, W), but the image is '
            f'{image.shape[:2]}'
        )
    colors = voc_colormap()[mask].astype(np.float32)
    return np.rint((1 - alpha) * image + alpha * colors).astype(np.uint8)


def _check(image: np.ndarray, alpha: float) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            'image should be (H, W, 3) uint8 RGB, but got '
            f'{image.shape} {image.dtype}'
        )
    check_number('alpha', alpha, low=0, high=1)
