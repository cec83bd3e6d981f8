"""Pseudo-labels of single images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from oaa_mm.attention import attention_to_image
from oaa_mm.pseudo_labels import LabelRules, build_refine, compose_label
from oaa_mm.pseudo_labels.rules import IGNORE_INDEX

from .inputs import ImageInput


class LabelComposer:
    """Labels by the rules and refinements of `tools/make_pseudo_labels.py`.

    Args:
        rules (LabelRules | None): Its constants. Defaults to None: background
            'power', which needs no saliency maps.
        refine (str): ``'none'``, ``'par'`` or ``'crf'``. Defaults to
            ``'none'``.
        refine_options (Mapping[str, Any] | None): Parameters of the
            refinement.

    Raises:
        ValueError: The rules want saliency maps, or the refinement cannot be
            had.
    """

    def __init__(
        self,
        rules: LabelRules | None = None,
        refine: str = 'none',
        refine_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.rules = rules or LabelRules(background='power')
        if self.rules.background == 'saliency':
            raise ValueError(
                "OAAInferencer has no saliency maps: choose background 'power'"
                " or 'constant' in `rules`, or give its attention.safetensors "
                'to tools/make_pseudo_labels.py --saliency-dir'
            )
        self.refine = build_refine(refine, refine_options)

    def __call__(
        self,
        item: ImageInput,
        maps: Mapping[int, np.ndarray],
        size: tuple[int, int],
    ) -> np.ndarray:
        """The label of an image.

        Args:
            item (ImageInput): The image.
            maps (Mapping[int, np.ndarray]): Class -> (h, w) uint8 map.
            size (tuple[int, int]): Height H and width W of the image.

        Returns:
            np.ndarray: (H, W) uint8: 0 background, c + 1 class c, 255
            ignored; all 255 for an image without classes.
        """
        if not maps:
            return np.full(size, IGNORE_INDEX, np.uint8)
        return compose_label(
            {c: attention_to_image(m, size) for c, m in maps.items()},
            **asdict(self.rules),
            image=None if self.refine is None else item.read(),
            refine=self.refine,
        )
