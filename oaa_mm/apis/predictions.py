"""What a prediction of an AttentionModel holds, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from oaa_mm.attention import quantise_attention


def read_maps(sample: SegDataSample) -> dict[int, np.ndarray]:
    """The attention maps as a store keeps them.

    Args:
        sample (SegDataSample): Of :meth:`AttentionModel.predict`.

    Returns:
        dict[int, np.ndarray]: Class -> (h, w) uint8, round(255 * attention).
    """
    maps = quantise_attention(sample.attention.data).numpy()
    return dict(zip(sample.attention_classes.tolist(), maps, strict=True))


def set_label(sample: SegDataSample, label: np.ndarray) -> None:
    """Add a pseudo-label to a prediction, where mmseg has segmentations.

    Args:
        sample (SegDataSample): Gets the field `pred_sem_seg`.
        label (np.ndarray): (H, W) uint8.
    """
    sample.pred_sem_seg = PixelData(data=torch.from_numpy(label)[None])


def read_label(sample: SegDataSample) -> np.ndarray:
    """The (H, W) uint8 label of :func:`set_label`."""
    return sample.pred_sem_seg.data[0].numpy()


def pack_prediction(
    sample: SegDataSample, class_names: Sequence[str]
) -> dict[str, Any]:
    """A prediction as plain arrays.

    Args:
        sample (SegDataSample): Of :meth:`AttentionModel.predict`, with a
            label.
        class_names (Sequence[str]): Names of the C classes.

    Returns:
        dict[str, Any]: See :meth:`OAAInferencer.__call__`.
    """
    classes = sample.attention_classes.tolist()
    large = sample.attention_image.data.numpy()
    return {
        'image_id': sample.image_id,
        'scores': sample.pred_score.numpy(),
        'classes': classes,
        'names': [class_names[c] for c in classes],
        'attention': read_maps(sample),
        'attention_image': dict(zip(classes, large, strict=True)),
        'label': read_label(sample),
    }
