"""Masks of more than 8 bits, which mmseg's LoadAnnotations wraps to 8."""

import os
from typing import Any

from oaa_mm.io import open_image, read_mask
from oaa_mm.io.images import PHOTO_FORMATS

from .manifest import leaf_datasets


def check_deep_masks(dataset: Any) -> None:
    """Refuse masks whose values mmseg would wrap: 257 would become class 1.

    Args:
        dataset (Any): A data set, or one that wraps others.

    Raises:
        ValueError: A mask has more than 8 bits, and a value above 255.
    """
    for leaf in leaf_datasets(dataset):
        if not hasattr(leaf, 'get_data_info'):
            continue
        for number in range(len(leaf)):
            path = leaf.get_data_info(number).get('seg_map_path') or ''
            if os.path.isfile(path):
                with open_image(path, PHOTO_FORMATS) as image:
                    deep = image.mode.startswith(('I', 'F'))
                if deep:
                    read_mask(path)
