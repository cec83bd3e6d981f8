"""OAA+: the model that learns attention maps from accumulated ones."""

from __future__ import annotations

import numpy as np
import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from oaa_mm.attention import from_frame, valid_mask
from oaa_mm.checks import require
from oaa_mm.registry import MODELS

from .attention_model import AttentionModel

#: What a training sample needs besides the image, and who provides it.
NEEDED = {
    'gt_attention': 'LoadAttentionMaps in the pipeline',
    'gt_attention_classes': 'LoadAttentionMaps in the pipeline',
    'placement': 'an ImageLevelDataset whose pipeline ends with '
    'PackImageLevelInputs',
}


@MODELS.register_module()
class IntegralAttentionModel(AttentionModel):
    """Integral attention model (Jiang et al., ICCV 2019, Section 3.3).

    The network of a :class:`CAMClassifier` without pooling and without
    classification loss. Its score maps learn the accumulated attention of the
    labelled classes, and zero for all other classes, position by position. At
    test time the attention is ReLU(F) / max(ReLU(F)), as for a classifier.

    Args:
        backbone (dict): Any backbone of mmseg or of this package.
        head (dict): A CAMHead.
        neck (dict | None): Between the two. Defaults to None.
        loss_attention (dict | None): A loss of
            :mod:`oaa_mm.models.losses`. Defaults to None:
            HybridAttentionLoss with its defaults.
        test_cfg (dict | None): Fields of
            :class:`~oaa_mm.models.inference_config.InferenceConfig`. Defaults
            to None: one scale, no flip.
        data_preprocessor (dict | None): Normalises and batches; usually
            mmengine's ImgDataPreprocessor. Defaults to None.
        init_cfg (dict | None): Initialisation of the whole model. Defaults to
            None.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        neck: dict | None = None,
        loss_attention: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            backbone, head, neck, test_cfg, data_preprocessor, init_cfg
        )
        self.loss_attention = MODELS.build(
            loss_attention or {'type': 'oaa_mm.HybridAttentionLoss'}
        )

    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Loss between the score maps and the accumulated attention.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised, padded images.
            data_samples (list[SegDataSample]): With `gt_attention` and
                `gt_attention_classes` of LoadAttentionMaps, and `placement`.

        Returns:
            dict[str, Tensor]: One scalar under the name of the loss.

        Raises:
            ValueError: A sample lacks one of these, or has a class that the
                head has not.
        """
        scores = self.score_maps(inputs)
        valid = self._valid_sizes(data_samples, inputs, scores)
        target = self._targets(data_samples, scores.shape[2:], valid)
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
        for row, sample, (height, width) in zip(
            target, data_samples, sizes, strict=True
        ):
            maps, classes = self._accumulated(sample)
            row[classes, :height, :width] = from_frame(
                maps, sample.placement, (height, width)
            )
        return torch.from_numpy(target)

    def _accumulated(
        self, sample: SegDataSample
    ) -> tuple[np.ndarray, np.ndarray]:
        """(K, h, w) maps of a sample in its frame, and their (K,) classes."""
        for key, provider in NEEDED.items():
            require(
                sample,
                key,
                needed_by='IntegralAttentionModel',
                remedy=f'add {provider}',
            )
        classes = sample.gt_attention_classes
        if max(classes, default=0) >= self.num_classes:
            raise ValueError(
                f'{sample.get("img_path", "a sample")} has class '
                f'{max(classes)}, but the head has the classes 0 to '
                f'{self.num_classes - 1} (head.num_classes)'
            )
        return sample.gt_attention, classes

    def class_scores(
        self, scores: Tensor, valid: Tensor | None = None
    ) -> Tensor:
        """Logits of the classes: the highest score of any position.

        Training sets the score of every position by itself, so that a class
        is there if it is anywhere; a mean would weigh classes by their size.

        Args:
            scores (Tensor): (N, C, h, w) score maps F.
            valid (Tensor | None): (N, 2) height and width of each map without
                padding; None means that the maps are not padded.

        Returns:
            Tensor: (N, C) float32 logits, before the sigmoid.
        """
        scores = scores.float()
        if valid is not None:
            inside = valid_mask(valid.to(scores.device), scores.shape[2:])
            scores = scores.masked_fill(~inside[:, None], -torch.inf)
        return scores.amax((2, 3))
