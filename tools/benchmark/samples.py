"""Classifiers and batches to measure with; nothing is read or downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import DefaultScope
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.attention import Placement
from oaa_mm.registry import MODELS
from oaa_mm.runs import BFloat16OptimWrapper

#: The folder of the configs that are measured.
BASE = Path(__file__).resolve().parents[2] / 'configs/_base_'
#: Network -> config of its classifier in `models`.
NETWORKS = {
    'resnet18': 'cam_r18.py',
    'resnet50': 'cam_r50.py',
    'vgg16': 'cam_vgg16.py',
}
CLASSES = 20


def make_classifier(network: str) -> nn.Module:
    """A CAM classifier with random weights, on the accelerator if any.

    Args:
        network (str): One of :data:`NETWORKS`.

    Returns:
        nn.Module: In training mode.
    """
    model = Config.fromfile(BASE / 'models' / NETWORKS[network]).model
    model.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope('mmseg'):  # as in configs
        return MODELS.build(model).to(get_device()).train()


def make_batch(
    size: int, first: int = 0, *, height: int = 224, width: int = 299
) -> dict[str, Any]:
    """A batch as a data loader gives it: noise, one or two labels each.

    Args:
        size (int): Images.
        first (int): Number of the first image. Defaults to 0.
        height (int): In pixels. Defaults to 224, the recipe's short side.
        width (int): In pixels. Defaults to 299, 4:3.

    Returns:
        dict[str, Any]: `inputs` and `data_samples`.
    """
    generator = torch.Generator().manual_seed(first)
    samples = []
    for number in range(first, first + size):
        sample = SegDataSample(
            metainfo={
                'image_id': f'im{number}',
                'img_shape': (height, width),
                'ori_shape': (height, width),
                'placement': Placement(frame=(height, width)),
            }
        )
        label = torch.zeros(CLASSES)
        label[number % CLASSES] = label[(number // 2) % CLASSES] = 1
        sample.gt_label = label
        samples.append(sample)
    images = torch.randint(
        0, 256, (size, 3, height, width), generator=generator
    )
    return {'inputs': list(images.byte()), 'data_samples': samples}


class TrainingStep:
    """Forward, backward and update, as a training loop does them.

    Args:
        model (nn.Module): A classifier.
        accumulate (int): Steps whose gradients are summed. Defaults to 1.
        channels_last (bool): Memory layout of model and images. Defaults to
            False.
        autocast (bool | str): Mixed precision as of `--amp`, bf16 (CPU) or
            fp16 (GPU); or ``'bf16'`` on both. Defaults to False.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        accumulate: int = 1,
        channels_last: bool = False,
        autocast: bool | str = False,
    ) -> None:
        self.model = model
        self.layout = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
        model.to(memory_format=self.layout)
        wrapper = OptimWrapper
        if autocast:  # as tools/train.py --amp
            bf16 = autocast == 'bf16' or get_device() == 'cpu'
            wrapper = BFloat16OptimWrapper if bf16 else AmpOptimWrapper
        self.optimizer = wrapper(
            optimizer=torch.optim.SGD(model.parameters(), 1e-6, momentum=0.9),
            accumulative_counts=accumulate,
        )

    def prepare(
        self, batch: dict[str, Any]
    ) -> tuple[torch.Tensor, list[SegDataSample]]:
        """Bring a batch to the device, as a runner does.

        Args:
            batch (dict[str, Any]): A batch of :func:`make_batch`.

        Returns:
            tuple[torch.Tensor, list[SegDataSample]]: Images and samples.
        """
        data = self.model.data_preprocessor(batch, training=True)
        inputs = data['inputs'].contiguous(memory_format=self.layout)
        return inputs, data['data_samples']

    def train(
        self, inputs: torch.Tensor, samples: list[SegDataSample]
    ) -> dict[str, torch.Tensor]:
        """Train on a batch that is on the device.

        Args:
            inputs (torch.Tensor): (N, 3, H, W) normalised images.
            samples (list[SegDataSample]): Their samples.

        Returns:
            dict[str, torch.Tensor]: The losses, for the log.
        """
        with self.optimizer.optim_context(self.model):
            losses = self.model(inputs, samples, mode='loss')
        loss, logged = self.model.parse_losses(losses)
        self.optimizer.update_params(loss)
        return logged

    def __call__(self, batch: dict[str, Any]) -> Sequence[SegDataSample]:
        """Train on a batch.

        Args:
            batch (dict[str, Any]): A batch of :func:`make_batch`.

        Returns:
            Sequence[SegDataSample]: Its samples.
        """
        self.train(*self.prepare(batch))
        return batch['data_samples']
