"""Refinements of scores by their image, behind one interface.

The dense CRF is that of the package `pydensecrf2`, which is optional.
"""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from oaa_mm.checks import check_choice, import_optional

from .compose import Refine
from .contrast import WITHOUT_CONTRAST, contrast_refine
from .grabcut import grabcut_refine
from .par import pixel_adaptive_refine
from .regions import import_segmentation, mask_refine, superpixel_refine


def import_densecrf() -> ModuleType:
    """The module `pydensecrf.densecrf`; ValueError where it is absent."""
    return import_optional(
        'pydensecrf.densecrf',
        'Install it with `pip install pydensecrf2` (it compiles C++ code and '
        "needs a compiler), or use the refinement 'par', which needs nothing",
    )


def crf_probabilities(scores: np.ndarray) -> np.ndarray:
    """Scores, which need not sum to 1, as the probabilities of a CRF.

    More than 1 in total is divided by the total. The rest up to 1 is what the
    scores do not know. It goes to all labels in equal parts, so that weak
    attention does not become certain where the background is weak as well.

    Args:
        scores (np.ndarray): (K + 1, H, W) float, 0..1.

    Returns:
        np.ndarray: (K + 1, H, W) float32 with sum 1.
    """
    total = scores.sum(0, keepdims=True)
    unknown = np.maximum(1 - total, 0) / len(scores)
    return (scores / np.maximum(total, 1) + unknown).astype(np.float32)


def dense_crf_refine(
    image: np.ndarray,
    scores: np.ndarray,
    *,
    iterations: int = 10,
    smooth_sigma: float = 1.0,
    smooth_weight: float = 3.0,
    color_position_sigma: float = 67.0,
    color_sigma: float = 3.0,
    color_weight: float = 4.0,
    floor: float = 0.05,
) -> np.ndarray:
    """Refine scores by a fully connected CRF (Krähenbühl and Koltun, 2011).

    The defaults are DeepLab's for VOC. The labels of a CRF compete: most
    pixels end up sure of one of them, few stay uncertain.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        scores (np.ndarray): (K + 1, H, W) float 0..1, background first.
        iterations (int): Steps of mean-field inference.
        smooth_sigma (float): Range of the smoothness kernel in pixels.
        smooth_weight (float): Its weight.
        color_position_sigma (float): Range of the colour kernel in pixels.
        color_sigma (float): Its range in colour values 0..255.
        color_weight (float): Its weight.
        floor (float): Least probability that a label begins with, > 0: the
            CRF may bring back what attention missed.

    Returns:
        np.ndarray: (K + 1, H, W) float32 probabilities with sum 1.

    Raises:
        ValueError: `pydensecrf2` is not installed.
    """
    densecrf = import_densecrf()
    labels, height, width = scores.shape
    if labels == 1:  # nothing competes
        return np.ones_like(scores, np.float32)
    start = np.maximum(crf_probabilities(scores), floor)
    start /= start.sum(0, keepdims=True)
    crf = densecrf.DenseCRF2D(width, height, labels)
    energy = -np.log(start).reshape(labels, -1)
    crf.setUnaryEnergy(np.ascontiguousarray(energy, np.float32))
    crf.addPairwiseGaussian(sxy=smooth_sigma, compat=smooth_weight)
    crf.addPairwiseBilateral(
        sxy=color_position_sigma,
        srgb=color_sigma,
        rgbim=np.ascontiguousarray(image),
        compat=color_weight,
    )
    posterior = np.asarray(crf.inference(iterations), np.float32)
    return posterior.reshape(scores.shape).clip(0, 1)


#: Step -> function of an image and scores, whose parameters are its options.
REFINEMENTS = {
    'contrast': contrast_refine,
    'crf': dense_crf_refine,
    'grabcut': grabcut_refine,
    'par': pixel_adaptive_refine,
    'regions': superpixel_refine,
}


def build_refine(
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    regions: str | os.PathLike | None = None,
) -> Refine | None:
    """Build the refinement of a name for :func:`compose_label`.

    Args:
        name (str): ``'none'``, ``'contrast'`` (needs scikit-image),
            ``'crf'`` (needs pydensecrf2), ``'grabcut'``, ``'par'``,
            ``'regions'`` (needs scikit-image or `regions`), or steps that
            follow each other, such as ``'regions,par'``.
        options (Mapping[str, Any] | None): Parameters of
            :func:`~oaa_mm.pseudo_labels.contrast.contrast_refine`,
            :func:`dense_crf_refine`, :func:`pixel_adaptive_refine`,
            :func:`~oaa_mm.pseudo_labels.grabcut.grabcut_refine` or
            :func:`~oaa_mm.pseudo_labels.regions.superpixel_refine`;
            ``'par.iterations'`` where several steps have such a parameter.
        regions (str | os.PathLike | None): The regions of one image in place
            of superpixels, see :mod:`.region_files`. The file is read when
            scores are refined.

    Returns:
        Refine | None: A function of image and scores; None for ``'none'``.

    Raises:
        ValueError: A step or an option is unknown, the package of a step is
            not installed, or no step takes `regions`.
    """
    steps = [] if name == 'none' else name.split(',')
    for step in steps:
        check_choice('a step of refine', step, REFINEMENTS)
    if 'crf' in steps:
        import_densecrf()  # before any work
    functions = {step: REFINEMENTS[step] for step in steps}
    if regions is not None:
        if 'regions' not in steps:
            raise ValueError(
                f"refine {name!r} has no step 'regions' that takes the files "
                "of regions; add it, as in 'regions,par'"
            )
        functions['regions'] = partial(mask_refine, path=regions)
    if contrast_refine in functions.values():
        import_segmentation(WITHOUT_CONTRAST)
    if superpixel_refine in functions.values():
        import_segmentation()
    places = {
        f'{step}.{key}': (step, key)
        for step, function in functions.items()
        for key in getattr(function, '__kwdefaults__', None) or ()
    }
    for option, value in (options or {}).items():
        found = [p for o, p in places.items() if option in (o, p[1])]
        if len(found) != 1:  # unknown, or several steps have it
            check_choice(f'an option of refine {name!r}', option, places)
        step, key = found[0]
        functions[step] = partial(functions[step], **{key: value})
    chain = [functions[step] for step in steps]
    return partial(_refine_in_turn, chain) if chain else None


def _refine_in_turn(
    chain: Sequence[Refine], image: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    for refine in chain:
        scores = refine(image, scores)
    return scores
