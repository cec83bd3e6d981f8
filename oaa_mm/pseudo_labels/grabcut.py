"""GrabCut: objects told from their surroundings by their colours."""

import cv2
import numpy as np

from oaa_mm.checks import check_number

from .regions import shrink_image

#: Pixels that each side needs: GrabCut fits mixtures of five colours.
_LEAST = 20


def grabcut_refine(
    image: np.ndarray,
    scores: np.ndarray,
    *,
    background: float = 0.05,
    probable: float = 0.35,
    certain: float = 0.8,
    steps: int = 3,
    shrink: float = 0.5,
) -> np.ndarray:
    """Grow or shrink the foreground to the pixels that have its colours.

    GrabCut (Rother et al., SIGGRAPH 2004), as OpenCV has it, starts from the
    strongest attention a of each pixel: background below `background`,
    probably background below `probable`, probably foreground below `certain`,
    foreground from there on. Each foreground pixel gets the class with the
    highest score there. Nothing is learnt. It is meant for labels without
    saliency maps, which tell foreground from background themselves.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        scores (np.ndarray): (K + 1, H, W) float 0..1, background first.
        background (float): Attention of certain background is below it, 0..1.
        probable (float): The least attention of probable foreground, 0..1.
        certain (float): The least attention of certain foreground, 0..1.
        steps (int): Rounds of fitting colours and cutting, >= 1.
        shrink (float): The image is resized by this factor before, in (0, 1];
            the time goes with its square.

    Returns:
        np.ndarray: (K + 1, H, W) float32: 1 for the label of a pixel, 0 for
        the background of foreground, and the scores themselves for all else,
        so that a rule may still tell background with attention from other
        background. All scores are unchanged where there is too little
        probable foreground or background to learn colours from.

    Raises:
        ValueError: A parameter is out of range, or the three thresholds do
            not rise.
    """
    thresholds = (background, probable, certain)
    check_number('background', background, low=0, high=1)
    check_number('certain', certain, low=0, high=1)
    if not background <= probable <= certain:
        raise ValueError(
            'background, probable and certain of GrabCut should rise, but '
            f'got {background}, {probable} and {certain}'
        )
    check_number('steps', steps, low=1, integer=True)
    check_number('shrink', shrink, low=0, high=1, excluded=0)
    height, width = scores.shape[1:]
    attention = scores[1:].max(0, initial=0).astype(np.float32)
    small = shrink_image(image, shrink)
    kinds = np.array(
        [cv2.GC_BGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD, cv2.GC_FGD], np.uint8
    )
    mask = kinds[
        np.digitize(cv2.resize(attention, small.shape[1::-1]), thresholds)
    ]
    if min(_count_foreground(mask), _count_foreground(mask ^ 1)) < _LEAST:
        return scores.astype(np.float32)
    models = np.zeros((2, 1, 65))
    cv2.setRNGSeed(0)  # so that labels do not depend on the order of images
    cv2.grabCut(small, mask, None, *models, steps, mode=cv2.GC_INIT_WITH_MASK)
    share = cv2.resize((mask & 1).astype(np.float32), (width, height))
    found = share > 0.5
    result = np.maximum(scores, 0, dtype=np.float32)
    result[0] = ~found
    rows = np.arange(1, len(scores))[:, None, None]
    result[1:][found & (scores[1:].argmax(0) + 1 == rows)] = 1
    return result


def _count_foreground(mask: np.ndarray) -> int:
    """OpenCV's values of (probable) foreground are odd."""
    return int((mask & 1).sum())
