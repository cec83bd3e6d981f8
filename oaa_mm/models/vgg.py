"""VGG16 with output stride 8, as OAA uses it."""

from __future__ import annotations

from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from oaa_mm.checks import check_choice
from oaa_mm.registry import MODELS

from .pretrained import NORMAL_INIT, check_pretrained

VGG16_URL = 'https://download.pytorch.org/models/vgg16-397923af.pth'

#: Channels and number of the convolutions of each stage.
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


@MODELS.register_module()
class VGG16(BaseModule):
    """The convolutions of VGG16, with output stride 8.

    pool4 has stride 1 (3x3, padding 1), pool5 is removed and the convolutions
    of the fifth stage are dilated by 2 (the authors' releases). Parameters
    have torchvision's names (``features.N.weight``), and the order of
    channels is that of torchvision's weights, RGB.

    Shape:
        - Input: (N, 3, H, W).
        - Output: a tuple of one (N, 512, H // 8, W // 8) feature map.

    Args:
        frozen_stages (int): Number of stages, from the input, whose weights
            are not trained. Defaults to 0.
        init_cfg (dict | list[dict] | None): Initialisation, one or several.
            `checkpoint` of ``dict(type='Pretrained', checkpoint=...)`` may be
            a local file, a URL such as torchvision's (``VGG16_URL``) or
            ``'torchvision://vgg16'``, which needs no torchvision here.
            Defaults to None: N(0, 0.01), biases 0.
    """

    def __init__(
        self,
        frozen_stages: int = 0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        check_choice('frozen_stages', frozen_stages, range(len(STAGES) + 1))
        super().__init__(_with_url(init_cfg or NORMAL_INIT))
        self.features = nn.Sequential(*_layers())
        # Each convolution has a ReLU, each stage ends with a pooling layer.
        frozen = sum(2 * count + 1 for _, count in STAGES[:frozen_stages])
        self.features[:frozen].requires_grad_(False)

    def init_weights(self) -> None:
        """Initialise; pretrained weights that fit nothing raise ValueError."""
        check_pretrained(self)
        super().init_weights()

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute the feature map.

        Args:
            inputs (Tensor): (N, 3, H, W) normalised images.

        Returns:
            tuple[Tensor]: One (N, 512, H // 8, W // 8) map.
        """
        return (self.features(inputs),)


def _with_url(init_cfg: dict | list[dict]) -> dict | list[dict]:
    """`init_cfg` with the URL that ``torchvision://vgg16`` stands for."""
    if not isinstance(init_cfg, dict):
        return [_with_url(one) for one in init_cfg]
    if init_cfg.get('checkpoint') != 'torchvision://vgg16':
        return init_cfg
    return {**init_cfg, 'checkpoint': VGG16_URL}


def _layers() -> list[nn.Module]:
    """Layers under torchvision's indices, `features.0` to `features.29`."""
    layers: list[nn.Module] = []
    channels = 3
    for number, (width, count) in enumerate(STAGES, 1):
        dilation = 2 if number == 5 else 1
        layers += make_vgg_layer(channels, width, count, dilation)
        if number == 4:
            layers[-1] = nn.MaxPool2d(3, 1, padding=1)
        channels = width
    return layers[:-1]
