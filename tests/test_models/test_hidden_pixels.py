"""Pixels that a training hides from a model."""

import numpy as np
import torch
from mmseg.structures import SegDataSample

from oaa_mm.models.hidden_pixels import hide_pixels


def test_each_image_hides_its_own_pixels():
    inputs = torch.arange(1.0, 1 + 3 * 3 * 2 * 3).reshape(3, 3, 2, 3)
    samples = [SegDataSample() for _ in range(3)]
    assert hide_pixels(inputs, samples) is inputs
    # The second image is 2x2, padded on its right.
    mask = np.array([[True, False], [False, True]])
    samples[1].set_field(mask, 'hidden_pixels')
    hidden = hide_pixels(inputs, samples)
    assert torch.equal(hidden[[0, 2]], inputs[[0, 2]])
    for channel, before in zip(hidden[1], inputs[1], strict=True):
        expected = before.clone()
        expected[0, 0] = expected[1, 1] = 0
        assert torch.equal(channel, expected)
