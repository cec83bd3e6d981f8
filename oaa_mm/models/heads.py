"""The class-aware head of OAA."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from oaa_mm.checks import check_number
from oaa_mm.registry import MODELS

from .pretrained import NORMAL_INIT


@MODELS.register_module()
class CAMHead(BaseModule):
    """Some 3x3 convolutions and a class-aware 1x1 convolution.

    The output is F of the paper: its ReLU is the class activation map, its
    mean over the image the logit of the class.

    Shape:
        - Input: a tuple of feature maps, (N, in_channels, h, w) the one used;
          or that one alone, as backbones with a single output return it.
        - Output: (N, num_classes, h, w) score maps.

    Args:
        in_channels (int): Channels of the feature map.
        num_classes (int): Number C of foreground classes.
        num_convs (int): 3x3 convolutions with ReLU before the class-aware
            layer: 3 for VGG16, 0 for ResNets. Defaults to 3.
        channels (int): Their channels. Defaults to 512.
        in_index (int): Which of the backbone's feature maps. Defaults to -1,
            the last one.
        init_cfg (dict | list[dict] | None): Initialisation. Defaults to None:
            N(0, 0.01), biases 0.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        num_convs: int = 3,
        channels: int = 512,
        in_index: int = -1,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        for name, value, low in (
            ('in_channels', in_channels, 1),
            ('num_classes', num_classes, 1),
            ('num_convs', num_convs, 0),
            ('channels', channels, 1),
        ):
            check_number(f'CAMHead: {name}', value, low=low, integer=True)
        super().__init__(init_cfg or NORMAL_INIT)
        self.num_classes = num_classes
        self.in_index = in_index
        layers: list[nn.Module] = []
        for _ in range(num_convs):
            layers.append(nn.Conv2d(in_channels, channels, 3, padding=1))
            layers.append(nn.ReLU(inplace=True))
            in_channels = channels
        self.convs = nn.Sequential(*layers)
        self.classifier = nn.Conv2d(in_channels, num_classes, 1)

    def forward(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        """Compute the score maps.

        Args:
            features (Tensor | Sequence[Tensor]): Feature maps of the backbone,
                or its only one.

        Returns:
            Tensor: (N, C, h, w) score maps.
        """
        if isinstance(features, Tensor):
            features = (features,)
        return self.classifier(self.convs(features[self.in_index]))
