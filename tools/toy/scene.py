"""One image of the toy data set: objects, distractors, mask, saliency."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from oaa_mm.checks import check_choice, check_number

from .catalogue import COLORS, OUTLINES, PARTS, TEXTURES, TOY_CLASSES
from .painting import affine, jittered_color, paint, paint_background
from .saliency import imperfect_saliency

#: The splits, in the order that seeds their images.
SPLITS = ('train', 'val')

#: (height, width) of the images, in pixels.
SIZES = ((128, 128), (128, 160), (160, 128), (144, 144), (160, 160))

#: The least share of the image that each object shows.
MIN_VISIBLE = 0.03

#: How often an image holds one, two or three classes.
_CLASS_COUNTS = (0.6, 0.3, 0.1)

#: Range of an object's side as a share of the image's, by number of objects.
_SCALES = {1: (0.44, 0.62), 2: (0.38, 0.52), 3: (0.33, 0.42)}


@dataclass(frozen=True)
class ToySample:
    """One image and all that is known about it.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        mask (np.ndarray): (H, W) uint8; 0 background, class c is c + 1.
        saliency (np.ndarray): (H, W) uint8, 0..255, imperfect on purpose.
        labels (tuple[int, ...]): The classes present, 0-based, ascending.
        objects (list[tuple[int, tuple[int, int, int, int]]]): Class and box
            (x0, y0, x1, y1) of each object's visible pixels; x1 and y1 are
            exclusive.
        instances (np.ndarray): (H, W) int16; k where the k-th object is seen,
            counted from 1, else 0.
    """

    image: np.ndarray
    mask: np.ndarray
    saliency: np.ndarray
    labels: tuple[int, ...]
    objects: list[tuple[int, tuple[int, int, int, int]]]
    instances: np.ndarray


@dataclass
class _Canvas:
    """An image being painted, and what each pixel belongs to.

    `layers` holds k for the k-th object, -k for the k-th distractor, 0 for
    the ground; `painted` the pixels each object covered before others
    overlapped it.
    """

    image: np.ndarray
    layers: np.ndarray
    painted: list[int]


def _choose_classes(
    rng: np.random.Generator, seed: int, split: int, index: int
) -> list[int]:
    """Classes of the objects to paint, a class perhaps twice.

    The first runs through all classes in each group of six images, so that
    even a tiny data set holds every class.
    """
    number = len(TOY_CLASSES)
    group = np.random.default_rng([seed, split, index // number, number])
    first = int(group.permutation(number)[index % number])
    others = rng.permutation([c for c in range(number) if c != first])
    count = rng.choice(3, p=_CLASS_COUNTS)
    classes = [first, *others[:count].tolist()]
    if len(classes) == 1 and rng.random() < 0.15:
        classes.append(first)
    return classes


def _place(
    rng: np.random.Generator,
    size: tuple[int, int],
    half: float,
    taken: list[np.ndarray],
) -> np.ndarray:
    """A centre (x, y) apart from those taken; an edge may cut a little."""
    margin = 0.85 * half
    height, width = size
    candidates = rng.uniform(
        (margin, margin), (width - margin, height - margin), (8, 2)
    )
    if not taken:
        return candidates[0]
    gaps = [[np.linalg.norm(c - t) for t in taken] for c in candidates]
    return candidates[int(np.argmax(np.min(gaps, axis=1)))]


def _paint_object(
    rng: np.random.Generator,
    canvas: _Canvas,
    name: str,
    matrix: np.ndarray,
) -> None:
    """Paint the parts of one object, each slightly out of place."""
    covered = np.zeros(canvas.layers.shape, dtype=bool)
    colors = {color: jittered_color(rng, color) for color in COLORS}
    for part in PARTS[name]:
        center = tuple(np.add(part.center, rng.normal(0, 0.02, 2)))
        half = tuple(np.multiply(part.half, rng.uniform(0.9, 1.1, 2)))
        pose = affine(center, half, part.angle + rng.normal(0, 5))
        covered |= paint(
            canvas.image,
            matrix @ pose,
            part.outline,
            colors[part.color],
            part.texture,
        )
    canvas.painted.append(int(covered.sum()))
    canvas.layers[covered] = len(canvas.painted)


def _paint_distractors(
    rng: np.random.Generator,
    canvas: _Canvas,
    count: int,
    half: tuple[float, float],
    layer: int,
) -> None:
    """Paint shapes of no class, in the colours and textures of the parts."""
    height, width = canvas.layers.shape
    side = min(height, width)
    for k in range(count):
        center = tuple(rng.uniform((0, 0), (width, height)))
        extent = tuple(side * rng.uniform(*half, 2))
        covered = paint(
            canvas.image,
            affine(center, extent, rng.uniform(0, 360)),
            str(rng.choice(OUTLINES)),
            jittered_color(rng, str(rng.choice(list(COLORS)))),
            str(rng.choice(TEXTURES)),
        )
        canvas.layers[covered] = layer - k if layer else 0


def _paint_scene(
    rng: np.random.Generator, size: tuple[int, int], classes: list[int]
) -> _Canvas:
    canvas = _Canvas(
        paint_background(rng, *size), np.zeros(size, dtype=np.int16), []
    )
    _paint_distractors(rng, canvas, rng.integers(2, 5), (0.04, 0.12), -1)
    taken: list[np.ndarray] = []
    for label in classes:
        half = rng.uniform(*_SCALES[len(classes)]) * min(size) / 2
        center = _place(rng, size, half, taken)
        taken.append(center)
        mirror = rng.choice((-1, 1))
        extent = half * rng.uniform(0.9, 1.1, 2) * (mirror, 1)
        pose = affine(tuple(center), tuple(extent), rng.normal(0, 12))
        _paint_object(rng, canvas, TOY_CLASSES[label], pose)
    if rng.random() < 0.3:  # something in front of everything
        _paint_distractors(rng, canvas, 1, (0.03, 0.12), 0)
    return canvas


def _is_clear(canvas: _Canvas) -> bool:
    """Every object is large enough and mostly in view."""
    layers, number = np.maximum(canvas.layers, 0), len(canvas.painted)
    visible = np.bincount(layers.ravel(), minlength=number + 1)[1:]
    large = visible >= MIN_VISIBLE * canvas.layers.size
    return bool((large & (visible >= 0.6 * np.array(canvas.painted))).all())


def _clear_canvas(
    rng: np.random.Generator, size: tuple[int, int], classes: list[int]
) -> _Canvas:
    for _ in range(100):
        canvas = _paint_scene(rng, size, classes)
        if _is_clear(canvas):
            return canvas
    raise RuntimeError(
        f'no clear arrangement of {len(classes)} objects in {size} was found'
    )


def toy_sample(seed: int, split: str, index: int) -> ToySample:
    """Paint one image, which depends only on the three arguments.

    Args:
        seed (int): Seed of the data set, not negative.
        split (str): ``'train'`` or ``'val'``.
        index (int): Number of the image in its split, from 0.

    Returns:
        ToySample: The image, its mask, saliency, labels and boxes.

    Raises:
        ValueError: `split` is neither of the two, or a number is negative.
    """
    check_choice('split', split, SPLITS)
    check_number('index', index, low=0, integer=True)
    number = SPLITS.index(split)
    rng = np.random.default_rng([seed, number, index])
    classes = _choose_classes(rng, seed, number, index)
    canvas = _clear_canvas(rng, SIZES[rng.integers(len(SIZES))], classes)
    noisy = canvas.image + rng.normal(0, 4, canvas.image.shape)
    lookup = np.array([0, *(c + 1 for c in classes)], dtype=np.uint8)
    instances = np.maximum(canvas.layers, 0)
    objects = []
    for k, label in enumerate(classes, start=1):
        x, y, w, h = cv2.boundingRect((instances == k).astype(np.uint8))
        objects.append((label, (x, y, x + w, y + h)))
    return ToySample(
        image=np.clip(np.round(noisy), 0, 255).astype(np.uint8),
        mask=lookup[instances],
        saliency=imperfect_saliency(rng, canvas.layers),
        labels=tuple(sorted(set(classes))),
        objects=objects,
        instances=instances,
    )
