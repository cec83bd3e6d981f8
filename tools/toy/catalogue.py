"""The six classes of the toy data set, as tables of parts.

Every class has one part that no other class has (the owl's head, the cart's
box on wheels ...) and several which it shares: the owl's striped blue body is
also the cart's box, the cart's wheels are the tractor's, and so on. So each
part is partial evidence, and a classifier is tempted to look at one of them
at a time, which is the situation attention accumulation is made for.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Names of the classes, in the order of their indices.
TOY_CLASSES = ('owl', 'fox', 'fish', 'cart', 'tractor', 'house')

#: RGB base colours, shared by objects, backgrounds and distractors.
COLORS = {
    'blue': (70, 120, 190),
    'orange': (226, 138, 62),
    'green': (92, 162, 92),
    'red': (196, 76, 72),
    'yellow': (236, 202, 92),
    'grey': (112, 112, 124),
}

OUTLINES = ('disc', 'box', 'triangle')
TEXTURES = ('plain', 'stripes', 'checks', 'dots', 'rings')


@dataclass(frozen=True)
class Part:
    """One painted part, in the frame of its object.

    The object spans -1..1 in both directions; x points right, y down.

    Args:
        outline (str): One of :data:`OUTLINES`.
        color (str): A key of :data:`COLORS`.
        texture (str): One of :data:`TEXTURES`.
        center (tuple[float, float]): Position (x, y) of the part's centre.
        half (tuple[float, float]): Half its width and half its height.
        angle (float): Clockwise rotation in degrees. Defaults to 0.
    """

    outline: str
    color: str
    texture: str
    center: tuple[float, float]
    half: tuple[float, float]
    angle: float = 0.0


def _legs(*xs: float, y: float, half: tuple[float, float]) -> list[Part]:
    return [Part('box', 'grey', 'plain', (x, y), half) for x in xs]


#: The parts of each class, painted in this order.
PARTS = {
    'owl': [
        *_legs(-0.2, 0.2, y=0.84, half=(0.07, 0.16)),
        Part('disc', 'blue', 'stripes', (0, 0.25), (0.56, 0.55)),
        Part('triangle', 'yellow', 'plain', (-0.32, -0.8), (0.15, 0.2), -20),
        Part('triangle', 'yellow', 'plain', (0.32, -0.8), (0.15, 0.2), 20),
        Part('disc', 'yellow', 'rings', (0, -0.42), (0.46, 0.42)),
    ],
    'fox': [
        *_legs(-0.5, -0.3, 0.1, 0.3, y=0.68, half=(0.07, 0.3)),
        Part('disc', 'orange', 'stripes', (-0.72, -0.1), (0.3, 0.14), 45),
        Part('disc', 'orange', 'plain', (-0.1, 0.22), (0.6, 0.36)),
        Part('triangle', 'yellow', 'checks', (0.5, -0.24), (0.42, 0.46), 180),
    ],
    'fish': [
        Part('triangle', 'yellow', 'plain', (-0.74, 0), (0.42, 0.28), 90),
        Part('triangle', 'green', 'plain', (0, -0.5), (0.3, 0.2)),
        Part('disc', 'green', 'dots', (0.05, 0), (0.68, 0.46)),
        Part('disc', 'red', 'rings', (0.5, -0.02), (0.32, 0.34)),
    ],
    'cart': [
        Part('box', 'grey', 'plain', (0.76, -0.25), (0.36, 0.06), -35),
        Part('box', 'blue', 'stripes', (-0.05, -0.05), (0.74, 0.4)),
        Part('disc', 'grey', 'rings', (-0.48, 0.48), (0.3, 0.3)),
        Part('disc', 'grey', 'rings', (0.4, 0.48), (0.3, 0.3)),
    ],
    'tractor': [
        Part('box', 'grey', 'plain', (0.5, -0.36), (0.07, 0.3)),
        Part('box', 'yellow', 'checks', (-0.34, -0.46), (0.36, 0.42)),
        Part('box', 'green', 'dots', (0.08, 0.12), (0.76, 0.32)),
        Part('disc', 'grey', 'rings', (-0.4, 0.48), (0.38, 0.38)),
        Part('disc', 'grey', 'rings', (0.54, 0.58), (0.26, 0.26)),
    ],
    'house': [
        Part('box', 'orange', 'plain', (0, 0.4), (0.66, 0.5)),
        Part('triangle', 'red', 'stripes', (0, -0.46), (0.88, 0.42)),
        Part('box', 'grey', 'plain', (0.28, 0.6), (0.15, 0.3)),
        Part('box', 'yellow', 'plain', (-0.28, 0.35), (0.17, 0.17)),
    ],
}
