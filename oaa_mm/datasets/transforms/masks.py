"""Masks of data sets in which only some images have one."""

import numpy as np
from mmseg.datasets.transforms import LoadAnnotations

from oaa_mm.io import IGNORE_INDEX
from oaa_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadMaskOrIgnore(LoadAnnotations):
    """mmseg's LoadAnnotations, where only some images have masks.

    All pixels of an image without a mask are 255, so that a decode head
    learns nothing from it, while a CAMHead learns from its tags.

    Args:
        **kwargs: Arguments of mmseg's LoadAnnotations.
    """

    def transform(self, results: dict) -> dict:
        """Load the mask of an image, or make one to be ignored.

        Args:
            results (dict): With `img` and, if there is a mask,
                `seg_map_path`.

        Returns:
            dict: With the (H, W) uint8 `gt_seg_map`.
        """
        if results.get('seg_map_path'):
            return super().transform(results)
        size = results['img'].shape[:2]
        results['gt_seg_map'] = np.full(size, IGNORE_INDEX, np.uint8)
        results['seg_fields'].append('gt_seg_map')
        return results
