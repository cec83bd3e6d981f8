"""Contrast: objects differ from the border of the image, background does not.

A saliency map of colours alone, which nothing has to be trained for.
"""

import cv2
import numpy as np

from oaa_mm.checks import check_number

from .regions import import_segmentation, shrink_image

WITHOUT_CONTRAST = 'or leave the step contrast out of --refine'
#: Long side of the image whose superpixels are compared, in pixels.
_SIDE = 256
#: Width of Gaussians over distances of colours, in median distances.
_ALIKE = 1 / 3
#: Width of the Gaussian over distances of places, in long sides.
_NEAR = 0.25


def contrast_refine(
    image: np.ndarray,
    scores: np.ndarray,
    *,
    weight: float = 0.5,
    superpixels: int = 250,
) -> np.ndarray:
    """Weaken foreground that looks like the border of the image.

    Attention often spreads over what surrounds an object in many images. Its
    colours usually go on to the border of the image, which
    :func:`contrast_saliency` tells. With s this saliency, a score a of a
    class becomes a^(1 - w) * s^w, and all of them are divided by the greatest
    one; the background's b becomes (1 - w) * b + w * (1 - s). It is meant for
    labels without saliency maps, and before the steps that follow edges.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        scores (np.ndarray): (K + 1, H, W) float 0..1, background first.
        weight (float): The weight w of the contrast, 0..1; with 1 the scores
            of all classes are equal.
        superpixels (int): About how many pieces of the image are compared,
            >= 2.

    Returns:
        np.ndarray: (K + 1, H, W) float32 scores, 0..1; unchanged where no
        superpixel stands out, as in an image of one colour.

    Raises:
        ValueError: A parameter is out of range, or scikit-image is absent.
    """
    check_number('weight', weight, low=0, high=1)
    saliency = contrast_saliency(image, superpixels)
    if not saliency.any():  # an image of one colour tells nothing
        return scores.astype(np.float32)
    result = np.maximum(scores, 0, dtype=np.float32)
    result[0] += weight * (1 - saliency - result[0])
    result[1:] = result[1:] ** (1 - weight) * saliency**weight
    if highest := result[1:].max(initial=0):
        result[1:] /= highest
    return result


def contrast_saliency(image: np.ndarray, superpixels: int = 250) -> np.ndarray:
    """What differs from its surroundings and is not connected to the border.

    The method of Zhu et al., "Saliency Optimization from Robust Background
    Detection" (CVPR 2014): the boundary connectivity of superpixels says what
    is background, and their contrast to it what is salient. Distances of
    colours are in units of the image's median one.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        superpixels (int): About how many superpixels there are, >= 2.

    Returns:
        np.ndarray: (H, W) float32 saliency, from 0 to 1; all 0 where no
        superpixel stands out.

    Raises:
        ValueError: `superpixels` is too small, or scikit-image is absent.
    """
    check_number('superpixels', superpixels, low=2, integer=True)
    parts, colours = _superpixels(image, superpixels)
    saliency = _saliency(parts, _distances(colours))
    size = image.shape[1::-1]
    return cv2.resize(saliency[parts].astype(np.float32), size).clip(0, 1)


def _superpixels(
    image: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """The superpixel of each pixel of a smaller image, and their colours."""
    slic = import_segmentation(WITHOUT_CONTRAST).slic
    small = shrink_image(image, min(1, _SIDE / max(image.shape[:2])))
    parts = slic(small, number, compactness=15, sigma=1, start_label=0)
    _, parts = np.unique(parts, return_inverse=True)
    parts = parts.reshape(small.shape[:2])
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return parts, _means(parts, lab)


def _means(parts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(n, C) means in the superpixels of (H, W, C) values."""
    flat = parts.ravel()
    channels = np.moveaxis(values, -1, 0)
    sums = [np.bincount(flat, channel.ravel()) for channel in channels]
    return np.stack(sums, 1) / np.bincount(flat)[:, None]


def _distances(points: np.ndarray) -> np.ndarray:
    """(n, n) distances of (n, C) colours, in units of the median.

    A difference of about 1 is the least that is seen, and below it is noise.
    """
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    return distances / max(np.median(distances), 1)


def _saliency(parts: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Saliency of each superpixel, from 0 to 1 (sections 3 and 4)."""
    # It comes with scikit-image, and nothing else here needs it.
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    border = np.unique(np.r_[parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    touching = _neighbours(parts, len(distances))
    linked = touching.copy()
    linked[np.ix_(border, border)] = True  # the border is one piece
    np.fill_diagonal(linked, False)
    nearest = np.where(linked, distances, np.inf).min(1)
    # Steps as small as those to the nearest neighbour cost nothing.
    free = nearest[np.isfinite(nearest)].mean() if linked.any() else 0
    steps = np.where(linked, np.maximum(distances - free, 1e-6), 0)
    reach = dijkstra(csr_matrix(steps), directed=False)
    belongs = _gaussian(reach, _ALIKE)
    connectivity = belongs[:, border].sum(1) / np.sqrt(belongs.sum(1))
    background = 1 - _gaussian(connectivity, 1)
    places = _means(parts, np.moveaxis(np.indices(parts.shape), 0, -1))
    gaps = np.linalg.norm(places[:, None] - places, axis=-1)
    near = _gaussian(gaps / max(parts.shape), _NEAR)
    contrast = _stretch((distances * near * background).sum(1))
    if not contrast.any():  # as the solution would be, if there is one
        return contrast
    # Equation 9, which neighbours that look alike make alike.
    smooth = np.where(touching, _gaussian(distances, _ALIKE) + 0.1, 0)
    certain = np.where(background < 0.3, 0, background)
    system = np.diag(smooth.sum(1) + certain + contrast) - smooth
    return _stretch(np.linalg.solve(system, contrast))


def _neighbours(parts: np.ndarray, number: int) -> np.ndarray:
    """(n, n) bool: which superpixels touch, or by a corner down and right."""
    touching = np.zeros((number, number), bool)
    for one, other in (
        (parts[:-1], parts[1:]),
        (parts[:, :-1], parts[:, 1:]),
        (parts[:-1, :-1], parts[1:, 1:]),
    ):
        touching[one, other] = True
    np.fill_diagonal(touching, False)
    return touching | touching.T


def _gaussian(values: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-((values / width) ** 2) / 2)


def _stretch(values: np.ndarray) -> np.ndarray:
    """From 0 to 1; zeros where all values are equal."""
    span = np.ptp(values)
    return (values - values.min()) / span if span else np.zeros_like(values)
