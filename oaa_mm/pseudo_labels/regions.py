"""Region votes: the pixels of a region share the mean of their scores.

Regions follow the edges of the image: superpixels of scikit-image, which is
optional, or masks of any segmenter, see :mod:`.region_files`.
"""

import os
from collections.abc import Sequence
from types import ModuleType

import cv2
import numpy as np

from oaa_mm.checks import check_number, import_optional

from .region_files import read_regions


def import_segmentation(
    otherwise: str = 'or give masks of your own by --regions-dir, which need '
    'nothing',
) -> ModuleType:
    """The module `skimage.segmentation`; ValueError where it is absent."""
    return import_optional(
        'skimage.segmentation',
        f'Install it with `pip install scikit-image`, {otherwise}',
    )


def shrink_image(image: np.ndarray, factor: float) -> np.ndarray:
    """(H, W, 3) uint8 image -> that image at `factor` of its size, in (0, 1].

    Each side has at least one pixel.
    """
    height, width = image.shape[:2]
    size = max(round(factor * width), 1), max(round(factor * height), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def superpixel_refine(
    image: np.ndarray,
    scores: np.ndarray,
    *,
    scales: Sequence[float] = (25, 100),
    sigma: float = 0.8,
    min_size: int = 20,
    resize: float = 0.5,
) -> np.ndarray:
    """Average scores in superpixels of the image, of several sizes.

    The superpixels are those of Felzenszwalb and Huttenlocher, "Efficient
    Graph-Based Image Segmentation" (IJCV 2004).

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        scores (np.ndarray): (K, H, W) float, 0..1.
        scales (Sequence[float]): How large superpixels become, > 0; the
            scores of several scales are averaged.
        sigma (float): Width of the smoothing before, in pixels of the resized
            image, >= 0.
        min_size (int): Such pixels of the least superpixel, >= 0.
        resize (float): Superpixels are those of the image shrunk by it, in
            (0, 1]; the time goes with its square.

    Returns:
        np.ndarray: (K, H, W) float32 scores, 0..1.

    Raises:
        ValueError: A parameter is out of range, or scikit-image is absent.
    """
    check_number('len(scales)', len(scales), low=1)
    for scale in scales:
        check_number('scales', scale, low=0, excluded=0)
    check_number('sigma', sigma, low=0)
    check_number('min_size', min_size, low=0, integer=True)
    check_number('resize', resize, low=0, high=1, excluded=0)
    segment = import_segmentation().felzenszwalb
    height, width = scores.shape[1:]
    small = shrink_image(image, resize)
    rows = np.arange(height)[:, None] * small.shape[0] // height
    columns = np.arange(width) * small.shape[1] // width
    total = np.zeros(scores.shape, np.float32)
    for scale in scales:
        parts = segment(small, scale=scale, sigma=sigma, min_size=min_size)
        total += vote(scores, parts[rows, columns])
    return total / len(scales)


def mask_refine(
    image: np.ndarray, scores: np.ndarray, path: str | os.PathLike
) -> np.ndarray:
    """Average scores in the regions of a file.

    Args:
        image (np.ndarray): Not used.
        scores (np.ndarray): (K, H, W) float, 0..1.
        path (str | os.PathLike): See :mod:`.region_files`.

    Returns:
        np.ndarray: (K, H, W) float32 scores, 0..1.

    Raises:
        ValueError: The file cannot be read, or does not fit the image.
    """
    return vote(scores, read_regions(path, scores.shape[1:]))


def vote(scores: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Give each pixel the mean of the scores in its region.

    Where masks overlap, the smallest one counts; a pixel in none keeps its
    scores, and a mask without pixels changes nothing.

    Args:
        scores (np.ndarray): (K, H, W) float.
        regions (np.ndarray): (n, H, W) bool masks, or an (H, W) partition of
            integers.

    Returns:
        np.ndarray: (K, H, W) float32.
    """
    result = scores.astype(np.float32)
    if regions.ndim == 2:
        _, region, pixels = np.unique(
            regions, return_inverse=True, return_counts=True
        )
        region = region.ravel()  # of another shape in some versions of numpy
        for row in result.reshape(len(result), -1):
            row[:] = (np.bincount(region, row) / pixels)[region]
        return result
    areas = regions.sum((1, 2))
    for number in np.argsort(-areas, kind='stable'):  # small ones last
        mask = regions[number]
        if areas[number]:
            result[:, mask] = scores[:, mask].mean(1, keepdims=True)
    return result
