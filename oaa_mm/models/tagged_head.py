"""How a head with class-aware maps learns from image-level tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.structures import SegDataSample
from torch import Tensor

from oaa_mm.attention import mean_scores
from oaa_mm.checks import require
from oaa_mm.io import IGNORE_INDEX


@dataclass(frozen=True)
class AttentionOutput:
    """The maps and scores that a training forward leaves for OAAHook.

    Attributes:
        scores (Tensor): (N, C, h, w) score maps F.
        logits (Tensor): (N, C) class scores, before the sigmoid.
        valid (Tensor | None): (N, 2) height and width of each map without
            padding, on the CPU; None if no map is padded.
    """

    scores: Tensor
    logits: Tensor
    valid: Tensor | None


class TaggedHead(BaseModule):
    """A head of C score maps F, trained by the tags of images.

    p^c = sigmoid(GAP(F^c)), trained by multi-label sigmoid cross entropy
    (Jiang et al., ICCV 2019, Section 3.1). The tags of an image are the
    `gt_label` of its data sample, or else the classes in its mask, without
    255. It is the head of a CAMClassifier, or an auxiliary head of any
    segmentor of mmseg. OAAHook takes what the loss has left in
    `attention_output`; a subclass computes F in its `forward`.
    """

    #: Number C of foreground classes.
    num_classes: int
    #: Whether value 0 of masks is the background, and c + 1 class c.
    background: bool = True
    #: Factor of the loss.
    loss_weight: float = 1.0
    #: Left by the latest loss for OAAHook.
    attention_output: AttentionOutput | None = None

    def loss(
        self,
        inputs: Sequence[Tensor],
        batch_data_samples: list[SegDataSample],
        train_cfg: Any = None,
    ) -> dict[str, Tensor]:
        """Loss of a batch, as the segmentors of mmseg ask their heads for it.

        Args:
            inputs (Sequence[Tensor]): Feature maps of the backbone.
            batch_data_samples (list[SegDataSample]): The N samples.
            train_cfg (Any): Not used.

        Returns:
            dict[str, Tensor]: ``loss_cls``, a scalar.
        """
        return self.loss_by_feat(self(inputs), batch_data_samples)

    def loss_by_feat(
        self,
        scores: Tensor,
        batch_data_samples: list[SegDataSample],
        valid: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Loss of score maps, which are left for OAAHook.

        Args:
            scores (Tensor): (N, C, h, w) score maps F.
            batch_data_samples (list[SegDataSample]): The N samples.
            valid (Tensor | None): (N, 2) height and width of each map without
                padding. Defaults to None: as far as each image reaches by the
                `padding_size` of its sample.

        Returns:
            dict[str, Tensor]: ``loss_cls``, a scalar.

        Raises:
            ValueError: A sample has neither tags nor a mask, or other classes
                than the head.
        """
        if valid is None:
            valid = _unpadded(batch_data_samples, scores.shape[2:])
        logits = mean_scores(scores, valid=valid)
        labels = self.tags(batch_data_samples).float()
        self.attention_output = AttentionOutput(
            scores=scores.detach(), logits=logits.detach(), valid=valid
        )
        loss = F.multilabel_soft_margin_loss(logits, labels)
        return {'loss_cls': self.loss_weight * loss}

    def tags(self, data_samples: Sequence[SegDataSample]) -> Tensor:
        """The classes of images, on the device of their samples.

        Args:
            data_samples (Sequence[SegDataSample]): N samples.

        Returns:
            Tensor: (N, C) uint8, 0 or 1.

        Raises:
            ValueError: A sample has neither tags nor a mask, or other classes
                than the head.
        """
        labels = torch.stack(list(map(self._tags_of, data_samples)))
        if labels.shape[1] != self.num_classes:
            raise ValueError(
                f'the head has {self.num_classes} classes (head.num_classes), '
                f'but the labels have {labels.shape[1]}'
            )
        return labels

    def _tags_of(self, sample: SegDataSample) -> Tensor:
        if 'gt_label' in sample or 'gt_sem_seg' not in sample:
            return require(sample, 'gt_label', needed_by='CAMHead')
        mask = sample.gt_sem_seg.data.flatten()
        present = mask.new_zeros(IGNORE_INDEX + 1, dtype=torch.uint8)
        present.index_fill_(0, mask, 1)
        first = int(self.background)
        end = first + self.num_classes
        foreign = present[end:IGNORE_INDEX]
        # Elsewhere, looking at the values would wait for the device; OAAHook
        # asks for the tags of the samples on the CPU.
        if foreign.device.type == 'cpu' and foreign.any():
            raise ValueError(
                f'{sample.get("img_path", "a sample")}: its mask has the '
                f'value {end + int(foreign.argmax())}, but the classes of '
                f'CAMHead have {first} to {end - 1}, as num_classes='
                f'{self.num_classes} and background={self.background}'
            )
        return present[first:end]


def _unpadded(
    data_samples: Sequence[SegDataSample], size: Sequence[int]
) -> Tensor | None:
    """(N, 2) rows and columns that see the image; None if all of them do."""
    # Images lie at the top left, so that left and top are 0.
    sides = [s.get('padding_size', (0, 0, 0, 0)) for s in data_samples]
    padding = torch.tensor([(bottom, right) for _, right, _, bottom in sides])
    if not padding.any():
        return None
    images = torch.tensor([s.img_shape[:2] for s in data_samples])
    return -(-images * torch.tensor(size) // (images + padding))
