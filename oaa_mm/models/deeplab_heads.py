"""Heads of the segmentation networks of two DeepLab papers."""

from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from oaa_mm.checks import check_number
from oaa_mm.registry import MODELS

from .head_inputs import SingleInput
from .layers import conv_layers
from .pretrained import NORMAL_INIT


@MODELS.register_module()
class DeepLabV2Head(SingleInput, BaseDecodeHead):
    """Parallel 3x3 atrous convolutions straight to the classes, summed.

    The head of `DeepLabV2 <https://arxiv.org/abs/1606.00915>`_ with
    ResNet-101 (ASPP-L). There is nothing between the branches and the
    logits, so it has neither `channels` nor a `conv_seg`.

    Shape:
        - Input: feature maps; (N, in_channels, h, w) the one used.
        - Output: (N, num_classes, h, w) logits.

    Args:
        in_channels (int): Channels of the feature map.
        num_classes (int): Number of classes, background included.
        dilations (Sequence[int]): Dilation of each branch. Defaults to
            (6, 12, 18, 24).
        dropout_ratio (float): Share of the input channels that training
            drops, in [0, 1). Defaults to 0, as the paper.
        init_cfg (dict | list[dict] | None): Initialisation. Defaults to None:
            N(0, 0.01), biases 0.
        **kwargs: Further arguments of mmseg's BaseDecodeHead. `conv_cfg` is
            that of the branches; `act_cfg` has no place here.

    Raises:
        ValueError: `in_channels`, `in_index` and `input_transform` do not fit
            each other, `dilations` is empty or holds a number below 1, or
            there is a `norm_cfg`.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        num_classes: int,
        dilations: Sequence[int] = (6, 12, 18, 24),
        dropout_ratio: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
        **kwargs: object,
    ) -> None:
        check_number('len(dilations)', len(dilations), low=1)
        for dilation in dilations:
            check_number('dilations', dilation, low=1, integer=True)
        super().__init__(
            in_channels,
            channels=num_classes,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            init_cfg=init_cfg or NORMAL_INIT,
            **kwargs,
        )
        if self.norm_cfg is not None:
            raise ValueError(
                f'DeepLabV2Head: norm_cfg={self.norm_cfg} has no place before '
                'the logits; remove it, or set it to None'
            )
        del self.conv_seg  # of no use here: it would never get a gradient
        configs = self.conv_cfg, None, None
        widths = self.in_channels, self.out_channels
        self.branches = nn.ModuleList(
            conv_layers(configs, widths, 3, d)[0] for d in dilations
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Compute the logits.

        Args:
            inputs (Sequence[Tensor]): Feature maps of the backbone.

        Returns:
            Tensor: (N, num_classes, h, w) logits.
        """
        features = self._transform_inputs(inputs)
        if self.dropout is not None:
            features = self.dropout(features)
        return sum(branch(features) for branch in self.branches)


@MODELS.register_module()
class LargeFOVHead(SingleInput, BaseDecodeHead):
    """pool5, an atrous fc6, fc7 and the classifier of DeepLab-LargeFOV.

    `DeepLab <https://arxiv.org/abs/1412.7062>`_ with a large field of view
    (LargeFOV) on VGG16: 3x3 max pooling with stride 1, a 3x3 convolution with
    dilation 12, a 1x1 convolution, both with ReLU and dropout, and the 1x1
    classifier, which is `conv_seg` as in every head of mmseg.

    Shape:
        - Input: feature maps; (N, in_channels, h, w) the one used.
        - Output: (N, num_classes, h, w) logits.

    Args:
        in_channels (int): Channels of the feature map, 512 for VGG16.
        num_classes (int): Number of classes, background included.
        channels (int): Channels of fc6 and fc7. Defaults to 1024.
        dilation (int): Dilation of fc6. Defaults to 12.
        dropout_ratio (float): Probability at which training zeroes single
            values (not whole channels) after fc6 and fc7, in [0, 1).
            Defaults to 0.5.
        init_cfg (dict | list[dict] | None): Initialisation. Defaults to None:
            N(0, 0.01), biases 0.
        **kwargs: Further arguments of mmseg's BaseDecodeHead; `conv_cfg`,
            `norm_cfg` and `act_cfg` are those of fc6 and fc7.

    Raises:
        ValueError: `in_channels`, `in_index` and `input_transform` do not fit
            each other, `dilation` is below 1, or `dropout_ratio` out of range.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = 1024,
        *,
        num_classes: int,
        dilation: int = 12,
        dropout_ratio: float = 0.5,
        init_cfg: dict | list[dict] | None = None,
        **kwargs: object,
    ) -> None:
        check_number('dilation', dilation, low=1, integer=True)
        check_number('dropout_ratio', dropout_ratio, low=0, high=1, excluded=1)
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            init_cfg=init_cfg or NORMAL_INIT,
            **kwargs,
        )
        # mmseg drops whole channels; the paper drops single values.
        self.dropout = nn.Dropout(dropout_ratio)
        self.pool5 = nn.MaxPool2d(3, stride=1, padding=1)
        configs = self.conv_cfg, self.norm_cfg, self.act_cfg
        widths = self.in_channels, channels
        self.fc6, *after = conv_layers(configs, widths, 3, dilation)
        self.after_fc6 = nn.Sequential(*after)
        self.fc7, *after = conv_layers(configs, (channels, channels), 1)
        self.after_fc7 = nn.Sequential(*after)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Compute the logits.

        Args:
            inputs (Sequence[Tensor]): Feature maps of the backbone.

        Returns:
            Tensor: (N, num_classes, h, w) logits.
        """
        x = self.pool5(self._transform_inputs(inputs))
        x = self.dropout(self.after_fc6(self.fc6(x)))
        x = self.after_fc7(self.fc7(x))
        return self.cls_seg(x)  # drops once more, then classifies
