"""What worker processes are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .rules import LabelRules


@dataclass(frozen=True, kw_only=True)
class LabelJob:
    """How the labels of a folder are made; the same for all images.

    Args:
        store (str): An attention store, or a folder in the authors' format.
        label_dir (str): Folder of the palette PNGs.
        rules (LabelRules): The constants.
        refine (str): See :func:`oaa_mm.pseudo_labels.build_refine`.
        refine_options (Mapping[str, Any]): Likewise.
    """

    store: str
    label_dir: str
    rules: LabelRules = field(default_factory=LabelRules)
    refine: str = 'none'
    refine_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelTask:
    """One image.

    Args:
        image_id (str): Its id.
        classes (tuple[int, ...]): Classes with a map; without any the
            label is all 255.
        image (str): Its file.
        size (tuple[int, int]): Height and width in pixels.
        saliency (str | None): The file of its saliency map.
    """

    image_id: str
    classes: tuple[int, ...]
    image: str
    size: tuple[int, int]
    saliency: str | None
