"""The base of the models with class-aware score maps."""

from abc import abstractmethod
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from oaa_mm.attention import (
    attention_to_image,
    mean_scores,
    normalise_attention,
)
from oaa_mm.checks import check_choice
from oaa_mm.registry import MODELS

from .feature_size import FeatureSize, Levels
from .hidden_pixels import hide_pixels
from .inference_config import InferenceConfig
from .pretrained import check_pretrained


class AttentionModel(BaseModel):
    """A fully convolutional network whose output is C class-aware maps.

    Subclasses say how it is trained and what the maps tell of the whole
    image; this class turns the maps into attention at test time.

    Args:
        backbone (dict): Any backbone of mmseg or of this package.
        head (dict): A CAMHead.
        neck (dict | None): Between the two. Defaults to None.
        test_cfg (dict | None): Fields of :class:`InferenceConfig`. Defaults to
            None: one scale, no flip.
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
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            data_preprocessor=data_preprocessor, init_cfg=init_cfg
        )
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck) if neck else nn.Identity()
        self.head = MODELS.build(head)
        self.test_cfg = InferenceConfig.from_dict(test_cfg or {})

    @property
    def num_classes(self) -> int:
        """Number C of foreground classes."""
        return self.head.num_classes

    def init_weights(self) -> None:
        """Initialise; pretrained weights that fit nothing raise ValueError."""
        check_pretrained(self)
        super().init_weights()

    @cached_property
    def feature_size(self) -> FeatureSize:
        """The size (h, w) of the score maps of an image.

        Called with the image's: ``model.feature_size((height, width))``.
        """
        return FeatureSize.of_head(self, self.head)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[SegDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Tensor | dict[str, Tensor] | list[SegDataSample]:
        """Run the model in one of mmengine's modes.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised, padded images.
            data_samples (list[SegDataSample] | None): Samples with
                `img_shape` and, for the loss, `gt_label`.
            mode (str): ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            Losses, predictions, or the (N, C, h, w) score maps.

        Raises:
            ValueError: `mode` is unknown.
        """
        check_choice('mode', mode, ('loss', 'predict', 'tensor'))
        if mode == 'loss':
            # Only OAADropHook hides pixels, and only in training.
            return self.loss(hide_pixels(inputs, data_samples), data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        return self.score_maps(inputs)

    def score_maps(self, inputs: Tensor) -> Tensor:
        """The class-aware maps F.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised images.

        Returns:
            Tensor: (N, C, h, w), before any ReLU.
        """
        return self.head(self.neck(Levels()(self.backbone(inputs))))

    @abstractmethod
    def loss(
        self, inputs: Tensor, data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """Losses of a training batch.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised, padded images.
            data_samples (list[SegDataSample]): Samples with the fields
                that the loss needs.

        Returns:
            dict[str, Tensor]: Scalars by name.
        """

    def class_scores(
        self, scores: Tensor, valid: Tensor | None = None
    ) -> Tensor:
        """How sure the model is that an image holds a class: a mean score.

        Args:
            scores (Tensor): (N, C, h, w) score maps F.
            valid (Tensor | None): (N, 2) height and width of each map without
                padding; None means that the maps are not padded.

        Returns:
            Tensor: (N, C) float32 logits, before the sigmoid.
        """
        return mean_scores(scores, valid=valid)

    def _valid_sizes(
        self,
        data_samples: list[SegDataSample],
        inputs: Tensor,
        scores: Tensor,
    ) -> Tensor | None:
        """(N, 2) map sizes without padding, None where nothing is padded."""
        shapes = [sample.img_shape[:2] for sample in data_samples]
        if all(shape == inputs.shape[2:] for shape in map(tuple, shapes)):
            return None
        valid = torch.tensor([self.feature_size(shape) for shape in shapes])
        # A stride that rounds down may see less of the padded image.
        return valid.minimum(torch.tensor(scores.shape[2:]))

    @torch.no_grad()
    def predict(
        self, inputs: Tensor, data_samples: list[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Scores and attention maps of each image.

        Images are processed without their padding, so the other images of a
        batch never matter.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised, padded images.
            data_samples (list[SegDataSample] | None): Samples with
                `img_shape`, `ori_shape` and, where labels are known,
                `gt_label`.

        Returns:
            list[SegDataSample]: With the new fields

            - `pred_score`: (C,) class probabilities,
            - `attention_classes`: (K,) classes that have a map, see
              `test_cfg`,
            - `attention`: PixelData, (K, h, w) float32 maps in [0, 1],
            - `attention_image`: PixelData, (K, H, W) uint8 maps 0..255 at the
              size of the original image.
        """
        if data_samples is None:
            size = tuple(inputs.shape[2:])
            meta = {'img_shape': size, 'ori_shape': size}
            data_samples = [SegDataSample(metainfo=meta) for _ in inputs]
        groups: dict[tuple[int, int], list[int]] = {}
        for number, sample in enumerate(data_samples):
            groups.setdefault(tuple(sample.img_shape[:2]), []).append(number)
        for (height, width), numbers in groups.items():
            images = inputs[numbers, :, :height, :width]
            scores, logits = self._averaged_scores(images)
            for row, number in enumerate(numbers):
                self._fill(data_samples[number], scores[row], logits[row])
        return data_samples

    def _averaged_scores(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Score maps (n, C, h, w) and logits (n, C) over scales and flips."""
        base = self.feature_size(images.shape[2:])
        corners = self.head.align_corners
        scores, logits = [], []
        for scale in self.test_cfg.scales:
            scaled = images
            if scale != 1:
                size = [max(2, round(s * scale)) for s in images.shape[2:]]
                scaled = F.interpolate(images, size, mode='bilinear')
            for flip in (False, True) if self.test_cfg.flip else (False,):
                maps = self.score_maps(scaled.flip(3) if flip else scaled)
                logits.append(self.class_scores(maps))
                maps = maps.float().flip(3) if flip else maps.float()
                maps = F.interpolate(maps, base, None, 'bilinear', corners)
                scores.append(maps)
        return torch.stack(scores).mean(0), torch.stack(logits).mean(0)

    def _fill(
        self, sample: SegDataSample, scores: Tensor, logits: Tensor
    ) -> None:
        """Write the predictions of one image into its data sample."""
        probability = logits.sigmoid()
        classes = self.test_cfg.classes_of(sample, probability)
        maps = normalise_attention(scores[classes], norm=self.test_cfg.norm)
        size = tuple(sample.metainfo.get('ori_shape', sample.img_shape)[:2])
        large = np.zeros((len(maps), *size), np.uint8)
        for row, attention in zip(large, maps.cpu().numpy(), strict=True):
            row[:] = attention_to_image(attention, size)
        sample.pred_score = probability
        sample.attention_classes = classes
        sample.attention = PixelData(data=maps)
        sample.attention_image = PixelData(data=torch.from_numpy(large))
