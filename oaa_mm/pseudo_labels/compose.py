"""From attention maps and a background score to the label of each pixel."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from oaa_mm.attention import attention_to_image
from oaa_mm.io import IGNORE_INDEX

from .rules import LabelRules

#: (H, W, 3) uint8 RGB image and (K + 1, H, W) float32 scores in [0, 1],
#: background first -> refined scores of the same shape and range.
Refine = Callable[[np.ndarray, np.ndarray], np.ndarray]


def compose_label(
    attention: Mapping[int, np.ndarray],
    *,
    saliency: np.ndarray | None = None,
    image: np.ndarray | None = None,
    refine: Refine | None = None,
    **rules: Any,
) -> np.ndarray:
    """Pseudo-label of one image, in the authors' procedure by default.

    With s the saliency, a_1..a_K the attention maps and b the score of the
    background (``'saliency'``: 1 - s, ``'power'``: (1 - max a)^alpha,
    ``'constant'``: theta, ``'rest'``: 1 - sum of all a), the first line that
    fits is the label::

        255    more than one of {b, a_1..a_K} > conflict_threshold
        k + 1  a_k = max a >= fg_threshold  and  (b < fg_threshold or a_k > b)
        0      s < bg_threshold  and  max a <= attention_threshold
        255    otherwise (uncertain)

    and the whole image is 255 where less than `min_foreground` of it is
    foreground. Of classes that tie, the lowest index wins; background wins a
    tie with a class. Scores are float32, so that the rounding of 1 - s
    settles "a_k > b" for equal numbers of 255ths, as it did in the release.

    Saliency is evidence of its own: a pixel is background where saliency says
    so. The others have no such evidence. There b only competes, and the third
    line becomes ``b >= max a and max a <= attention_threshold``; pixels whose
    best class beats b and is below `fg_threshold` are uncertain,
    `bg_threshold` has no effect.

    With `refine`, the scores {b, a_1..a_K} are refined by the image before
    the second to fourth line (s is then 1 - b). Conflicts are found before: a
    refinement that makes scores compete, such as a CRF, cannot show them.

    Args:
        attention (Mapping[int, np.ndarray]): Class (from 0) -> (H, W) map,
            uint8 0..255 or float 0..1, at the size of the image and already
            stretched over the whole range, as
            :func:`oaa_mm.attention.attention_to_image` returns it; for
            ``'rest'`` the probabilities of a segmentation network, which
            are not stretched. An image without maps has no foreground.
        saliency (np.ndarray | None): (H, W) uint8 0..255 or float 0..1; for
            ``background='saliency'`` alone.
        image (np.ndarray | None): (H, W, 3) uint8 RGB, for `refine`.
        refine (Refine | None): See :func:`oaa_mm.pseudo_labels.build_refine`.
        **rules (Any): `background` and the constants above, which are the
            fields of :class:`LabelRules` and have their defaults there.

    Returns:
        np.ndarray: (H, W) uint8: 0 background, k + 1 class k, 255 ignored.

    Raises:
        ValueError: A constant is out of range, shapes differ, or there is a
            saliency map too many or too few.
    """
    checked = LabelRules(**rules)
    classes = sorted(attention)
    if classes and not 0 <= classes[0] <= classes[-1] < IGNORE_INDEX - 1:
        raise ValueError(
            f'classes {classes}: labels are 8 bits, so class indices should '
            f'be in 0..{IGNORE_INDEX - 2}'
        )
    maps = [attention[index] for index in classes]
    scores = class_scores(maps, saliency, checked)
    conflict = (scores > checked.conflict_threshold).sum(0) > 1
    if refine is not None:
        _check_image(image, scores.shape[1:])
        scores = refine(image, scores)
    label = _decide(scores, classes, checked, saliency, refine is not None)
    label[conflict] = IGNORE_INDEX
    foreground = (label > 0) & (label < IGNORE_INDEX)
    if foreground.mean() < checked.min_foreground:
        label[:] = IGNORE_INDEX
    return label


def label_image(
    maps: Mapping[int, np.ndarray],
    size: tuple[int, int],
    rules: LabelRules,
    **inputs: Any,
) -> np.ndarray:
    """Pseudo-label of one image from the maps that a store holds of it.

    Args:
        maps (Mapping[int, np.ndarray]): Class (from 0) -> (h, w) uint8 map at
            the resolution of the features.
        size (tuple[int, int]): Height H and width W of the image.
        rules (LabelRules): The constants.
        **inputs (Any): `saliency`, `image` and `refine` of
            :func:`compose_label`.

    Returns:
        np.ndarray: (H, W) uint8, see :func:`compose_label`; all 255 where
        there are no maps, because nothing is known of such an image.

    Raises:
        ValueError: See :func:`compose_label`.
    """
    if not maps:
        return np.full(size, IGNORE_INDEX, np.uint8)
    large = {c: attention_to_image(map_, size) for c, map_ in maps.items()}
    return compose_label(large, **inputs, **vars(rules))


def class_scores(
    maps: list[np.ndarray], saliency: np.ndarray | None, rules: LabelRules
) -> np.ndarray:
    """Scores of background and classes before anything is decided.

    Args:
        maps (list[np.ndarray]): K attention maps, (H, W) uint8 0..255 or
            float 0..1.
        saliency (np.ndarray | None): (H, W), of the same kinds.
        rules (LabelRules): Says what the background's score is.

    Returns:
        np.ndarray: (K + 1, H, W) float32 in [0, 1], background first.

    Raises:
        ValueError: Shapes differ, there is a saliency map too many or too
            few, or nothing that tells the size.
    """
    rules.check_saliency(saliency is not None)
    inputs = maps if saliency is None else [*maps, saliency]
    shapes = {np.shape(values) for values in inputs}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(
            'attention and saliency should be (H, W) maps of one size, but '
            f'got {sorted(shapes) or "no map"}'
        )
    scores = np.zeros((len(maps) + 1, *shapes.pop()), np.float32)
    for row, values in zip(scores[1:], maps, strict=True):
        row[:] = _unit(values)
    if saliency is not None:
        scores[0] = 1 - _unit(saliency)
    elif rules.background == 'power':
        scores[0] = (1 - scores[1:].max(0)) ** rules.alpha
    elif rules.background == 'rest':
        scores[0] = _rest(scores[1:])
    else:
        scores[0] = rules.theta
    return scores


def _rest(scores: np.ndarray) -> np.ndarray:
    """What probabilities leave to the background."""
    rest = 1 - scores.sum(0)
    if rest.min() < -0.01:  # more than rounding
        raise ValueError(
            "background 'rest' takes probabilities, whose sum is at most 1 "
            f'in each pixel, but the maps reach {1 - rest.min():.2f}; '
            "choose the background 'power' for attention maps"
        )
    return rest.clip(0)


def _decide(
    scores: np.ndarray,
    classes: list[int],
    rules: LabelRules,
    saliency: np.ndarray | None,
    refined: bool,
) -> np.ndarray:
    """The label without conflicts and without the rule for whole images."""
    background = scores[0]
    best = scores[1:].max(0, initial=0)
    if saliency is None:
        calm = background >= best
    else:
        level = 1 - background if refined else _unit(saliency)
        calm = level < rules.bg_threshold
    calm &= best <= rules.attention_threshold
    label = np.where(calm, np.uint8(0), np.uint8(IGNORE_INDEX))
    if not classes:
        return label
    found = best >= rules.fg_threshold
    found &= (background < rules.fg_threshold) | (best > background)
    values = np.array(classes, np.uint8) + np.uint8(1)
    return np.where(found, values[scores[1:].argmax(0)], label)


def _unit(values: np.ndarray) -> np.ndarray:
    """A map as float32 in [0, 1].

    In float32, and b as 1 - s, as in the authors' procedure: where a_k and b
    are the same number of 255ths, rounding decides, and as it did there.
    """
    values = np.asarray(values)
    if values.dtype == np.uint8:
        return values / np.float32(255)
    if values.dtype.kind != 'f':
        raise ValueError(
            f'maps should be uint8 0..255 or float 0..1, not {values.dtype}'
        )
    if not (values.min() >= 0 and values.max() <= 1):  # also where NaN
        raise ValueError(
            'float maps should be in 0..1, but one holds '
            f'{values.min()}..{values.max()}; uint8 maps hold 0..255'
        )
    return values.astype(np.float32)


def _check_image(image: np.ndarray | None, size: tuple[int, int]) -> None:
    if image is None or image.dtype != np.uint8 or image.shape != (*size, 3):
        found = None if image is None else (image.shape, str(image.dtype))
        raise ValueError(
            f'refine needs the image as a {(*size, 3)} uint8 array (H, W, '
            f'RGB), but got {found}'
        )
