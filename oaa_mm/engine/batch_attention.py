"""What a training iteration leaves for accumulation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from oaa_mm.attention import AttentionAccumulator, Placement
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
    *,
    loss: Tensor | float = 0.0,
) -> dict[str, Any]:
    """The maps of a batch, as AttentionAccumulator.update takes them.

    Args:
        model (nn.Module): A CAMClassifier after its forward in mode 'loss'.
        samples (Sequence[SegDataSample]): The N samples of the batch.
        loss (Tensor | float): Of the iteration. If it is NaN or Inf, so are
            the maps, which are dropped and counted then. Defaults to 0.

    Returns:
        dict[str, Any]: Arguments of
        :meth:`oaa_mm.attention.AttentionAccumulator.update`; tensors stay on
        their device.

    Raises:
        ValueError: The forward left no maps, or samples lack metainfo.
    """
    output = model.attention_output
    if output is None or len(output.scores) != len(samples):
        raise ValueError(
            'OAAHook: the model left no maps of this iteration; forward '
            "has to run in mode='loss' exactly once"
        )
    return {
        'image_ids': [
            sample_metainfo(sample, 'image_id') for sample in samples
        ],
        'scores': output.scores.masked_fill(
            # A tensor on the device, so that nothing waits for it.
            ~torch.as_tensor(loss, device=output.scores.device).isfinite(),
            torch.nan,
        ),
        'labels': torch.stack([sample.gt_label for sample in samples]),
        'logits': output.logits,
        'valid': output.valid,
        'placements': [_placement(sample, model) for sample in samples],
    }


def accumulate_batch(
    accumulators: Iterable[AttentionAccumulator],
    model: nn.Module,
    samples: Sequence[SegDataSample],
    *,
    loss: Tensor | float = 0.0,
) -> None:
    """Update accumulators with the maps of a batch.

    Args:
        accumulators (Iterable[AttentionAccumulator]): The accumulators.
        model (nn.Module): See :func:`batch_attention`.
        samples (Sequence[SegDataSample]): The N samples of the batch.
        loss (Tensor | float): The loss of the iteration. Defaults to 0.

    Raises:
        ValueError: See :func:`batch_attention`.
    """
    attention = batch_attention(model, samples, loss=loss)
    for accumulator in accumulators:
        accumulator.update(**attention)


def sample_metainfo(sample: SegDataSample, key: str) -> Any:
    """What accumulation has to know of a training sample.

    Args:
        sample (SegDataSample): Of an ImageLevelDataset.
        key (str): ``'image_id'`` or ``'placement'``.

    Returns:
        Any: The metainfo of that name.

    Raises:
        ValueError: The sample lacks it; the message says what provides it.
    """
    return require(sample, key, needed_by='OAAHook')


def _placement(sample: SegDataSample, model: nn.Module) -> Placement:
    placement = sample_metainfo(sample, 'placement')
    return placement.on_grid(model.feature_size(placement.frame))
