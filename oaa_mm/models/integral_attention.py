"""OAA+: the model that learns attention maps from accumulated ones."""

from typing import Any

import numpy as np
import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from oaa_mm.attention import from_frame, valid_mask
from oaa_mm.attention.agreement import agreement_sums
from oaa_mm.attention.maps import labelled_maps
from oaa_mm.checks import require
from oaa_mm.registry import MODELS

from .attention_model import AttentionModel

#: Fields that LoadAttentionMaps and PackImageLevelInputs add to a sample.
_FIELDS = ('gt_attention', 'gt_attention_classes', 'placement')


@MODELS.register_module()
class IntegralAttentionModel(AttentionModel):
    """Integral attention model (Jiang et al., ICCV 2019, Section 3.3).

    The network of a :class:`CAMClassifier` without pooling and without
    classification loss. Its score maps learn the accumulated attention of the
    labelled classes, and zero for all other classes, position by position. At
    test time the attention is ReLU(F) / max(ReLU(F)), as for a classifier.

    Args:
        *args: Arguments of
            :class:`~oaa_mm.models.attention_model.AttentionModel`.
        loss_attention (dict | None): A loss of
            :mod:`oaa_mm.models.losses`. Defaults to None:
            HybridAttentionLoss with its defaults.
        **kwargs: Arguments of AttentionModel.

    Attributes:
        agreement (Tensor | None): (3,) sums of the latest training forward,
            see :func:`oaa_mm.attention.agreement.agreement_sums`; they stay
            on their device.
    """

    def __init__(
        self, *args: Any, loss_attention: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.agreement: Tensor | None = None
        self.loss_attention = MODELS.build(
            loss_attention or {'type': 'oaa_mm.HybridAttentionLoss'}
        )

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Loss between the score maps and the accumulated attention.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised, padded images.
            data_samples (list[SegDataSample]): Samples with `gt_attention`
                and `gt_attention_classes` of LoadAttentionMaps, and with
                `placement`.

        Returns:
            dict[str, Tensor]: One scalar under the name of the loss.

        Raises:
            ValueError: A sample lacks one of these, or has a class that the
                head has not.
        """
        scores = self.score_maps(inputs)
        valid = self._valid_sizes(data_samples, inputs, scores)
        target = self._targets(data_samples, scores.shape[2:], valid)
        self.agreement = self._agreement(scores, target, data_samples, valid)
        target = target.to(scores.device, non_blocking=True).float() / 255
        loss = self.loss_attention(scores, target, valid=valid)
        return {self.loss_attention.loss_name: loss}

    def _targets(
        self,
        data_samples: list[SegDataSample],
        size: tuple[int, int],
        valid: Tensor | None,
    ) -> Tensor:
        """(N, C, h, w) uint8 attention on the grid of the score maps."""
        count = len(data_samples)
        sizes = [tuple(size)] * count if valid is None else valid.tolist()
        target = np.zeros((count, self.num_classes, *size), np.uint8)
        for row, sample, (h, w) in zip(
            target, data_samples, sizes, strict=True
        ):
            maps, classes, placement = (
                require(
                    sample,
                    key,
                    needed_by='IntegralAttentionModel',
                    remedy='use an ImageLevelDataset with LoadAttentionMaps '
                    'in its pipeline, which ends with PackImageLevelInputs',
                )
                for key in _FIELDS
            )
            if max(classes, default=0) >= self.num_classes:
                raise ValueError(
                    f'{sample.get("img_path", "a sample")} has class '
                    f'{max(classes)}, but the head has the classes 0 to '
                    f'{self.num_classes - 1} (head.num_classes)'
                )
            row[classes, :h, :w] = from_frame(maps, placement, (h, w))
        return torch.from_numpy(target)

    def _agreement(
        self,
        scores: Tensor,
        target: Tensor,
        data_samples: list[SegDataSample],
        valid: Tensor | None,
    ) -> Tensor:
        """Sums of the maps of the labelled classes and of their targets."""
        labels = torch.zeros(target.shape[:2], dtype=torch.uint8)
        for row, sample in zip(labels, data_samples, strict=True):
            row[sample.gt_attention_classes] = 1
        pairs = labelled_maps(
            scores,
            labels,
            logits=None,
            valid=valid,
            acceptance='none',
            threshold=0,
            norm=self.test_cfg.norm,
        )
        targets = target[pairs.images, pairs.classes]
        targets = targets.to(scores.device, non_blocking=True)
        return agreement_sums(pairs.maps, targets)

    def class_scores(
        self, scores: Tensor, valid: Tensor | None = None
    ) -> Tensor:
        """Logits of the classes: the highest score of any position.

        Training sets the score of each position separately, so a class is
        present if it is anywhere; a mean would weigh classes by their size.

        Args:
            scores (Tensor): (N, C, h, w) score maps F.
            valid (Tensor | None): (N, 2) height and width of each map without
                padding; None means that the maps are not padded.

        Returns:
            Tensor: (N, C) float32 logits, before the sigmoid.
        """
        scores = scores.float()
        if valid is not None:
            inside = valid_mask(valid, scores)[:, None]
            scores = scores.masked_fill(~inside, -torch.inf)
        return scores.amax((2, 3))
