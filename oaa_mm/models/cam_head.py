"""The class-aware head of OAA."""

from collections.abc import Sequence
from itertools import chain, pairwise

from torch import Tensor, nn

from oaa_mm.checks import check_number
from oaa_mm.registry import MODELS

from .head_inputs import SingleInput
from .layers import RELU, conv_layers
from .pretrained import NORMAL_INIT
from .tagged_head import TaggedHead


@MODELS.register_module()
class CAMHead(SingleInput, TaggedHead):
    """Some 3x3 convolutions and a class-aware 1x1 convolution.

    The output is F of the paper: its ReLU is the class activation map, its
    mean over the image the logit of the class. In a segmentor of mmseg it is
    an `auxiliary_head`. :class:`~oaa_mm.models.tagged_head.TaggedHead` says
    how it is trained.

    Shape:
        - Input: a tuple of feature maps, (N, in_channels, h, w) the one used;
          or that one alone, as backbones with a single output return it.
        - Output: (N, num_classes, h, w) score maps.

    Args:
        in_channels (int | Sequence[int]): Channels of the feature map, or of
            those that `input_transform` joins.
        num_classes (int): Number C of foreground classes.
        num_convs (int): 3x3 convolutions with norm and activation before the
            class-aware layer: 3 for VGG16, 0 for ResNets. Defaults to 3.
        channels (int): Their channels. Defaults to 512.
        in_index (int | Sequence[int]): Which of the backbone's feature maps.
            Defaults to -1, the last one.
        init_cfg (dict | list[dict] | None): Initialisation. Defaults to None:
            N(0, 0.01), biases 0.
        conv_cfg (dict | None): Config of the 3x3 convolutions. Defaults to
            None: Conv2d.
        norm_cfg (dict | None): Config of the norm after each of them, which
            have no biases then. Defaults to None: no norm.
        act_cfg (dict | None): Config of the activation after each of them.
            Defaults to ``dict(type='ReLU')``.
        input_transform (str | None): ``'resize_concat'`` resizes the maps of
            `in_index` to the first of them and concatenates them; then
            `in_channels` and `in_index` are lists. Defaults to None: a single
            map is taken.
        align_corners (bool): Argument of F.interpolate wherever feature or
            score maps are resized. Defaults to False.
        background (bool): Whether value 0 of masks is the background, so that
            class c has the value c + 1; only for tags that are taken from
            masks. Defaults to True; False for masks whose value 0 is a class.
        loss_weight (float): Factor of the loss. Defaults to 1.

    Raises:
        ValueError: A number is out of its range, or `in_channels`, `in_index`
            and `input_transform` do not fit each other.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        num_classes: int,
        num_convs: int = 3,
        channels: int = 512,
        in_index: int | Sequence[int] = -1,
        init_cfg: dict | list[dict] | None = None,
        *,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = RELU,
        input_transform: str | None = None,
        align_corners: bool = False,
        background: bool = True,
        loss_weight: float = 1.0,
    ) -> None:
        for name, value, low in (
            ('num_classes', num_classes, 1),
            ('num_convs', num_convs, 0),
            ('channels', channels, 1),
        ):
            check_number(f'CAMHead: {name}', value, low=low, integer=True)
        check_number('CAMHead: loss_weight', loss_weight, low=0)
        super().__init__(init_cfg or NORMAL_INIT)
        self._init_inputs(in_channels, in_index, input_transform)
        self.num_classes = num_classes
        self.align_corners = align_corners
        self.background = background
        self.loss_weight = loss_weight
        configs = conv_cfg, norm_cfg, act_cfg
        widths = [self.in_channels] + [channels] * num_convs
        self.convs = nn.Sequential(
            *chain(*(conv_layers(configs, w, 3) for w in pairwise(widths)))
        )
        self.classifier = nn.Conv2d(widths[-1], num_classes, 1)

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
        return self.classifier(self.convs(self._transform_inputs(features)))
