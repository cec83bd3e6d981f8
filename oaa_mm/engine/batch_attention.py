"""What a training iteration leaves for accumulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.checks import require


def unwrap_model(model: nn.Module) -> nn.Module:
    """The model inside a wrapper for several processes.

    Args:
        model (nn.Module): A model, wrapped or not.

    Returns:
        nn.Module: The model itself.
    """
    return model.module if is_model_wrapper(model) else model


def batch_attention(
    model: nn.Module,
    samples: Sequence[SegDataSample],
    outputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The maps of a batch, as AttentionAccumulator.update takes them.

    Args:
        model (nn.Module): A CAMClassifier after its forward in mode 'loss',
            also in a wrapper for several processes.
        samples (Sequence[SegDataSample]): The N samples of the batch.
        outputs (Mapping[str, Any] | None): What the iteration returned. If
            its `loss` is NaN or Inf, so are the maps, which are dropped and
            counted then. Defaults to None: no loss.

    Returns:
        dict[str, Any]: Arguments of
        :meth:`oaa_mm.attention.AttentionAccumulator.update`; tensors stay on
        their device.

    Raises:
        ValueError: The forward left no maps, or samples lack metainfo.
    """
    model = unwrap_model(model)
    output = model.attention_output
    if output is None or len(output.scores) != len(samples):
        raise ValueError(
            'OAAHook: the model left no maps of this iteration; forward '
            "has to run in mode='loss' exactly once"
        )
    # A tensor on the device, so that nothing waits for it.
    loss = torch.as_tensor(
        (outputs or {}).get('loss', 0.0), device=output.scores.device
    )
    placements = [metainfo(sample, 'placement') for sample in samples]
    return {
        'image_ids': [metainfo(sample, 'image_id') for sample in samples],
        'scores': output.scores.masked_fill(~loss.isfinite(), torch.nan),
        'labels': torch.stack([sample.gt_label for sample in samples]),
        'logits': output.logits,
        'valid': output.valid,
        'placements': [
            place.on_grid(model.feature_size(place.frame))
            for place in placements
        ],
    }


#: A field of a training sample, or an error that says what provides it.
metainfo = partial(require, needed_by='OAAHook')
