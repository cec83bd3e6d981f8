"""Painting of textured shapes under an affine transform."""

from __future__ import annotations

import cv2
import numpy as np

from .catalogue import COLORS, TEXTURES

_ANGLES = np.linspace(0, 2 * np.pi, 40, endpoint=False)

#: Outlines in their own frame, -1..1.
_OUTLINES = {
    'disc': np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1),
    'box': np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float),
    'triangle': np.array([(0, -1), (1, 1), (-1, 1)], dtype=float),
}

_SUBPIXEL_BITS = 4


def affine(
    center: tuple[float, float],
    half: tuple[float, float],
    angle: float = 0.0,
) -> np.ndarray:
    """Transform of the square -1..1 onto a rotated box.

    Args:
        center (tuple[float, float]): Where the box's centre lies, (x, y).
        half (tuple[float, float]): Half its width and height; a negative
            width mirrors.
        angle (float): Clockwise rotation in degrees. Defaults to 0.

    Returns:
        np.ndarray: (3, 3) float matrix for column vectors (x, y, 1).
    """
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = np.eye(3)
    matrix[:2, :2] = np.array([[cos, -sin], [sin, cos]]) * half
    matrix[:2, 2] = center
    return matrix


def jittered_color(rng: np.random.Generator, name: str) -> np.ndarray:
    """One of the base colours, a little brighter, darker or off its hue.

    Args:
        rng (np.random.Generator): Source of the variation.
        name (str): A key of :data:`~toy.catalogue.COLORS`.

    Returns:
        np.ndarray: (3,) float RGB, 0..255.
    """
    color = np.array(COLORS[name]) * rng.uniform(0.8, 1.15)
    return np.clip(color + rng.normal(0, 9, 3), 0, 255)


def _texture(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the second tone, 0..1, at the points of a part's frame."""
    if name == 'plain':
        return np.zeros_like(x)
    wave = {
        'stripes': lambda: np.sin(8.5 * y),
        'checks': lambda: np.sin(7 * x) * np.sin(7 * y) * 2,
        'dots': lambda: np.sin(9 * x) * np.sin(9 * y) - 0.45,
        'rings': lambda: np.sin(11 * np.hypot(x, y) + 0.8),
    }[name]()
    return np.clip(0.5 + 2.5 * wave, 0, 1)


def _second_tone(color: np.ndarray) -> np.ndarray:
    """A clearly darker tone of a bright colour, a lighter one of a dark."""
    if color.mean() > 140:
        return color * 0.5
    return color + (255 - color) * 0.6


def _frame_of(
    matrix: np.ndarray, x0: int, y0: int, x1: int, y1: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of a region in the frame that `matrix` maps from."""
    inverse = np.linalg.inv(matrix)
    px = np.arange(x0, x1)[None, :]
    py = np.arange(y0, y1)[:, None]
    x = inverse[0, 0] * px + inverse[0, 1] * py + inverse[0, 2]
    y = inverse[1, 0] * px + inverse[1, 1] * py + inverse[1, 2]
    return x, y


def paint(
    image: np.ndarray,
    matrix: np.ndarray,
    outline: str,
    color: np.ndarray,
    texture: str = 'plain',
) -> np.ndarray:
    """Paint one shape into an image, in place.

    Args:
        image (np.ndarray): (H, W, 3) float32 RGB, 0..255; changed.
        matrix (np.ndarray): (3, 3) transform of the square -1..1 to pixels.
        outline (str): ``'disc'``, ``'box'`` or ``'triangle'``.
        color (np.ndarray): (3,) float RGB, 0..255.
        texture (str): One of :data:`~toy.catalogue.TEXTURES`.
            Defaults to ``'plain'``.

    Returns:
        np.ndarray: (H, W) bool, the pixels that the shape covers.
    """
    height, width = image.shape[:2]
    points = _OUTLINES[outline] @ matrix[:2, :2].T + matrix[:2, 2]
    fixed = np.round(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    alpha = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(alpha, [fixed], 255, cv2.LINE_AA, _SUBPIXEL_BITS)

    # Only the shape's bounding box is touched: most shapes are small.
    low = np.clip(np.floor(points.min(0)) - 1, 0, (width, height)).astype(int)
    high = np.clip(np.ceil(points.max(0)) + 2, 0, (width, height)).astype(int)
    (x0, y0), (x1, y1) = low, high
    if x0 < x1 and y0 < y1:
        x, y = _frame_of(matrix, x0, y0, x1, y1)
        share = _texture(texture, x, y)[..., None]
        tone = color * (1 - share) + _second_tone(color) * share
        # Lit from above: the same colour is never one single RGB value.
        tone = tone * (1 - 0.12 * y[..., None])
        weight = alpha[y0:y1, x0:x1, None] / 255
        region = image[y0:y1, x0:x1]
        region += (weight * (tone - region)).astype(np.float32)
    return alpha > 127


def _field(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A smooth random pattern, 0..1: gradient, bands, clouds or a texture."""
    kind = rng.choice(('gradient', 'bands', 'clouds', 'texture'))
    if kind == 'clouds':
        cells = rng.random(tuple(rng.integers(4, 10, 2)))
        size = (width, height)
        field = cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)
        return np.clip(field, 0, 1)
    side = max(height, width) / 2
    half = side / rng.uniform(1, 4) if kind == 'texture' else side
    matrix = affine((width / 2, height / 2), (half, half), rng.uniform(0, 360))
    x, y = _frame_of(matrix, 0, 0, width, height)
    if kind == 'gradient':
        return np.clip(0.5 + 0.6 * x, 0, 1)
    if kind == 'bands':
        return 0.5 + 0.5 * np.sin(rng.uniform(4, 14) * x)
    return _texture(str(rng.choice(TEXTURES[1:])), x, y)


def paint_background(
    rng: np.random.Generator, height: int, width: int
) -> np.ndarray:
    """A textured ground in two muted tones of the objects' own colours.

    Args:
        rng (np.random.Generator): Source of the variation.
        height (int): Height in pixels.
        width (int): Width in pixels.

    Returns:
        np.ndarray: (height, width, 3) float32 RGB, 0..255.
    """
    names = rng.choice(list(COLORS), 2)
    ground = rng.uniform(120, 215)
    muted = [
        ground + rng.uniform(0.1, 0.45) * (jittered_color(rng, name) - ground)
        for name in names
    ]
    field = _field(rng, height, width)[..., None]
    grain = cv2.resize(
        rng.normal(0, 12, (height // 2, width // 2)), (width, height)
    )
    image = muted[0] + field * (muted[1] - muted[0]) + grain[..., None]
    return image.astype(np.float32)
