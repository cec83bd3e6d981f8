"""Hiding parts of an image from the network."""

from collections.abc import Sequence

import numpy as np
import torch
from mmseg.structures import SegDataSample
from torch import Tensor


def hide_pixels(
    inputs: Tensor, data_samples: Sequence[SegDataSample]
) -> Tensor:
    """Zero the pixels of normalised images that their samples say to hide.

    Zero is the mean colour there. A sample hides pixels of its own image
    alone; samples without the field hide none.

    Args:
        inputs (Tensor): (N, 3, H, W) normalised images, padded at the bottom
            and right.
        data_samples (Sequence[SegDataSample]): N samples; those with the
            field `hidden_pixels`, an (h, w) bool array without padding, hide
            some.

    Returns:
        Tensor: (N, 3, H, W); `inputs` itself where nothing is hidden.
    """
    if not any('hidden_pixels' in sample for sample in data_samples):
        return inputs
    hidden = np.zeros((len(inputs), *inputs.shape[2:]), bool)
    for row, sample in zip(hidden, data_samples, strict=True):
        if 'hidden_pixels' in sample:
            height, width = sample.hidden_pixels.shape
            row[:height, :width] = sample.hidden_pixels
    mask = torch.from_numpy(hidden).to(inputs.device, non_blocking=True)
    return inputs.masked_fill(mask[:, None], 0)
