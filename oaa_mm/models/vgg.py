"""VGG16 with output stride 8, as OAA uses it."""

from itertools import chain, pairwise

from mmengine.model import BaseModule
from torch import Tensor, nn

from oaa_mm.checks import check_choice
from oaa_mm.registry import MODELS

from .layers import RELU, conv_layers
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
        conv_cfg (dict | None): Config of the convolutions. Defaults to None:
            Conv2d.
        norm_cfg (dict | None): Config of the norm after each convolution,
            which keeps its bias, as torchvision's ``vgg16_bn``. Defaults to
            None: no norm.
        act_cfg (dict | None): Config of the activation after each of them.
            Defaults to ``dict(type='ReLU')``.
    """

    def __init__(
        self,
        frozen_stages: int = 0,
        init_cfg: dict | list[dict] | None = None,
        *,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = RELU,
    ) -> None:
        check_choice('frozen_stages', frozen_stages, range(len(STAGES) + 1))
        super().__init__(_with_url(init_cfg or NORMAL_INIT))
        stages = _stages((conv_cfg, norm_cfg, act_cfg))
        self.features = nn.Sequential(*chain(*stages))[:-1]
        self._frozen = sum(map(len, stages[:frozen_stages]))
        self.features[: self._frozen].requires_grad_(False)

    def train(self, mode: bool = True) -> 'VGG16':
        """Switch the mode; norms of frozen stages keep their statistics.

        Args:
            mode (bool): Whether to train. Defaults to True.

        Returns:
            VGG16: Itself.
        """
        super().train(mode)
        self.features[: self._frozen].eval()
        return self

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


def _stages(configs: tuple[dict | None, ...]) -> list[list[nn.Module]]:
    """Layers of each stage, in the order of torchvision's `features`."""
    stages: list[list[nn.Module]] = []
    before = 3
    for number, (width, count) in enumerate(STAGES, 1):
        stages.append([])
        for channels in pairwise((before, *[width] * count)):
            dilation = 2 if number == 5 else 1
            stages[-1] += conv_layers(configs, channels, 3, dilation, True)
        # From the fourth stage on, the resolution stays.
        pool = nn.MaxPool2d(3, 1, 1) if number == 4 else nn.MaxPool2d(2)
        stages[-1].append(pool)
        before = width
    return stages
