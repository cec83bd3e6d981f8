"""Packing an image with its image-level labels."""

from collections.abc import Sequence

import torch
from mmseg.datasets.transforms import PackSegInputs

from oaa_mm.registry import TRANSFORMS

from .geometry import placement_is_current

#: The keys of mmseg, and those that tell which maps an image has, and where.
_META_KEYS = (
    'image_id', 'placement', 'label_map', *PackSegInputs().meta_keys
)  # fmt: skip


@TRANSFORMS.register_module()
class PackImageLevelInputs(PackSegInputs):
    """Pack an image, its image-level labels and its place in the frame.

    Besides what mmseg's PackSegInputs packs, the data sample gets the field
    `gt_label`, a (C,) uint8 tensor of 0 and 1 (left out for images without
    labels), after LoadAttentionMaps the arrays `gt_attention` and
    `gt_attention_classes`, and the metainfo `image_id` and `placement` (see
    :class:`oaa_mm.attention.Placement`), which tells how maps lie in the
    image. `placement` is left out if pixels have moved since it was
    recorded, as in the branches of TestTimeAug.

    Args:
        meta_keys (Sequence[str]): Keys that become metainfo. AttentionMetric
            needs `seg_map_path` and, where a data set's classes are selected
            or reordered, or 255 marks its class, `label_map`. Defaults to
            those of PackSegInputs and `image_id`, `placement`, `label_map`.
    """

    def __init__(self, meta_keys: Sequence[str] = _META_KEYS) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack the results of a pipeline.

        Args:
            results (dict): With `img` (H, W, 3) and, for labelled images,
                `gt_label` (C,).

        Returns:
            dict: `inputs`, a (3, H, W) tensor, and `data_samples`, a
            SegDataSample.
        """
        if not placement_is_current(results):
            results = {k: v for k, v in results.items() if k != 'placement'}
        packed = super().transform(results)
        if 'gt_label' in results:
            label = torch.as_tensor(results['gt_label'], dtype=torch.uint8)
            packed['data_samples'].set_field(label, 'gt_label')
        # As arrays they stay on the CPU, where the model places them.
        for key in ('gt_attention', 'gt_attention_classes'):
            if key in results:
                packed['data_samples'].set_field(results[key], key)
        return packed
