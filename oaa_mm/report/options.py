"""What a user chooses about a report."""

from __future__ import annotations

import os
from dataclasses import dataclass

from oaa_mm.checks import check_number


@dataclass(frozen=True)
class ReportOptions:
    """Which images a report shows, how, and where they are.

    Attributes:
        ids (tuple[str, ...]): Images by name.
        best (int): How many of the best.
        worst (int): How many of the worst.
        random (int): How many at random.
        seed (int): Seed of the random choice.
        epochs (int): The most epochs, evenly spaced.
        tile_height (int): Height of the pictures, in pixels.
        img_dir (str | os.PathLike | None): Folder of images. Defaults to the
            one that the manifests of the stores name.
        mask_dir (str | os.PathLike | None): Folder of masks. Defaults to the
            one that the manifests name.
        classes (str | None): Class names, as
            :func:`oaa_mm.tags.load_classes` reads them. Defaults to those
            that the manifests name.

    Raises:
        ValueError: A number is out of its range.
    """

    ids: tuple[str, ...] = ()
    best: int = 3
    worst: int = 3
    random: int = 4
    seed: int = 0
    epochs: int = 10
    tile_height: int = 180
    img_dir: str | os.PathLike | None = None
    mask_dir: str | os.PathLike | None = None
    classes: str | None = None

    def __post_init__(self) -> None:
        least = dict(best=0, worst=0, random=0, epochs=1, tile_height=16)
        for name, low in least.items():
            check_number(name, getattr(self, name), low=low, integer=True)
