"""The size of the feature map of an image."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FeatureSize:
    """Size of the output of a fully convolutional stack, for any input size.

    Whether strides round up or down differs between backbones (VGG rounds
    down, ResNet up), so the answer is measured: on a copy without data, once
    for each length that occurs. Rows and columns do not depend on each other.

    Args:
        modules (Sequence[nn.Module]): Applied one after the other; the last
            one returns an (N, C, h, w) tensor.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        # A copy on the meta device has shapes but neither data nor cost.
        stack = copy.deepcopy(nn.Sequential(*modules))
        self._stack = stack.to('meta').eval()
        self._lengths: dict[int, int] = {}

    @classmethod
    def of_head(cls, model: nn.Module, head: nn.Module) -> 'FeatureSize':
        """The size of the map that a head of a model returns.

        Args:
            model (nn.Module): With `backbone` and maybe a `neck`, as the
                segmentors of mmseg have them.
            head (nn.Module): One of its heads.

        Returns:
            FeatureSize: Of the three, one after the other.
        """
        neck = getattr(model, 'neck', None)
        stack = [model.backbone, Levels(), neck, head]
        return cls([module for module in stack if module is not None])

    def __call__(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the map of an image.

        Args:
            size (tuple[int, int]): Height and width of the image in pixels.

        Returns:
            tuple[int, int]: Height and width of the map in cells.

        Raises:
            ValueError: The network fails, usually because the image is too
                small for it.
        """
        return self._length(int(size[0])), self._length(int(size[1]))

    def _length(self, pixels: int) -> int:
        if pixels not in self._lengths:
            image = torch.empty(1, 3, pixels, pixels, device='meta')
            try:
                with torch.no_grad():
                    output = self._stack(image)
            except RuntimeError as error:
                raise ValueError(
                    f'the network fails on an image side of {pixels} pixels, '
                    f'which may be too small for it ({error})'
                ) from error
            self._lengths[pixels] = output.shape[-1]
        return self._lengths[pixels]


class Levels(nn.Module):
    """Feature maps as necks take them: a tuple, also of a single one."""

    def forward(self, features: Tensor | tuple[Tensor, ...]) -> tuple:
        """Wrap the lone tensor that some backbones return.

        Args:
            features (Tensor | tuple[Tensor, ...]): (N, K, h, w) tensors.

        Returns:
            tuple: Of all of them.
        """
        return (features,) if isinstance(features, Tensor) else features
