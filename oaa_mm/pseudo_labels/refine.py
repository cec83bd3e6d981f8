"""Refinements of scores by their image, behind one interface."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

import numpy as np
import torch

from oaa_mm.checks import check_choice

from .compose import Refine
from .crf import dense_crf_refine, import_densecrf
from .par import pixel_adaptive_refine


@wraps(pixel_adaptive_refine)  # for its signature
def par_refine(
    image: np.ndarray, scores: np.ndarray, **options: Any
) -> np.ndarray:
    """:func:`pixel_adaptive_refine` for one image in numpy.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        scores (np.ndarray): (K + 1, H, W) float32, 0..1.
        **options (Any): Parameters of :func:`pixel_adaptive_refine`.

    Returns:
        np.ndarray: (K + 1, H, W) float32, 0..1.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
    with torch.no_grad():
        refined = pixel_adaptive_refine(
            pixels[None], torch.from_numpy(scores)[None], **options
        )
    return refined[0].clamp_(0, 1).numpy()


#: Name -> function of an image and scores, whose parameters are its options.
REFINEMENTS = {
    'none': None,
    'crf': dense_crf_refine,
    'par': par_refine,
}


def build_refine(
    name: str, options: Mapping[str, Any] | None = None
) -> Refine | None:
    """The refinement of a name, ready for :func:`compose_label`.

    Args:
        name (str): ``'none'``, ``'crf'`` (needs pydensecrf2) or ``'par'``.
        options (Mapping[str, Any] | None): Parameters of
            :func:`dense_crf_refine` or :func:`pixel_adaptive_refine`.

    Returns:
        Refine | None: A function of image and scores; None for ``'none'``.

    Raises:
        ValueError: The name or an option is unknown, or the package of the
            CRF is not installed.
    """
    check_choice('refine', name, REFINEMENTS)
    function = REFINEMENTS[name]
    allowed = [] if function is None else _options(function)
    for option in options or ():
        check_choice(f'an option of refine {name!r}', option, allowed)
    if name == 'crf':
        import_densecrf()  # before any work
    return function and partial(function, **(options or {}))


def _options(function: Callable) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
