"""The maps that a training iteration leaves for accumulation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.checks import require
from oaa_mm.models.feature_size import FeatureSize
from oaa_mm.models.integral_attention import IntegralAttentionModel
from oaa_mm.models.tagged_head import TaggedHead


class AttentionSource:
    """The head of a model whose maps are accumulated.

    Args:
        model (nn.Module): A CAMClassifier or a segmentor of mmseg, also in a
            wrapper for several processes.
        head (str | None): Name of the head in the model, such as
            ``'auxiliary_head.1'``. Defaults to None: the only one.

    Attributes:
        model (nn.Module): The model without its wrapper.
        head (TaggedHead): The head.

    Raises:
        ValueError: The model has no such head, or several.
    """

    def __init__(self, model: nn.Module, head: str | None = None) -> None:
        self.model = model.module if is_model_wrapper(model) else model
        self.head = _find_head(self.model, head)
        self._feature_size = FeatureSize.of_head(self.model, self.head)

    def batch(
        self,
        samples: Sequence[SegDataSample],
        outputs: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The maps of a batch, as AttentionAccumulator.update takes them.

        Args:
            samples (Sequence[SegDataSample]): The N samples of the batch, on
                the CPU, after the training forward of the model.
            outputs (Mapping[str, Any] | None): The result of the iteration. If
                its `loss` is NaN or Inf, so are the maps, which are dropped
                and counted then. Defaults to None: no loss.

        Returns:
            dict[str, Any]: Arguments of
            :meth:`oaa_mm.attention.AttentionAccumulator.update`; tensors stay
            on their device.

        Raises:
            ValueError: The forward left no maps, or samples lack metainfo.
        """
        output = self.head.attention_output
        if output is None or len(output.scores) != len(samples):
            raise ValueError(
                'OAAHook: the head left no maps of this iteration; the model '
                'has to call its loss exactly once in a training step, as '
                'CAMClassifier and the segmentors of mmseg do'
            )
        scores = output.scores
        if outputs and 'loss' in outputs:
            # A tensor on the device, so that nothing waits for it.
            loss = torch.as_tensor(outputs['loss'], device=scores.device)
            scores = scores.masked_fill(~loss.isfinite(), torch.nan)
        valid = output.valid
        if valid is not None:  # the head alone cannot tell which way to round
            sizes = [self._feature_size(s.img_shape[:2]) for s in samples]
            valid = valid.minimum(torch.tensor(sizes))
        placements = [metainfo(sample, 'placement') for sample in samples]
        return {
            'image_ids': [metainfo(sample, 'image_id') for sample in samples],
            'scores': scores,
            'labels': self.head.tags(samples),
            'logits': output.logits,
            'valid': valid,
            'placements': [
                replace(place, grid=self._feature_size(place.frame))
                for place in placements
            ],
        }


def _find_head(model: nn.Module, name: str | None) -> TaggedHead:
    heads = {
        known: module
        for known, module in model.named_modules()
        if isinstance(module, TaggedHead)
        and not isinstance(model, IntegralAttentionModel)
    }
    if name is None and len(heads) == 1:
        name = next(iter(heads))
    if name not in list(heads):
        raise ValueError(
            f'OAAHook.head={name!r} should name one CAMHead that learns from '
            f'tags, but {type(model).__name__} has '
            f'{", ".join(heads) or "none"}. '
            "Train a CAMClassifier, or add auxiliary_head=dict(type='oaa_mm."
            "CAMHead', ...) to a segmentor, or remove OAAHook"
        )
    return heads[name]


#: A field of a training sample, or an error that says how to get it.
metainfo = partial(require, needed_by='OAAHook')
