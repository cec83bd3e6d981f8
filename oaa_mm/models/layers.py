"""Layers made of the configs that mmseg's heads and backbones take."""

from mmcv.cnn import build_activation_layer, build_conv_layer, build_norm_layer
from torch import nn

#: The default `act_cfg`, as in mmseg.
RELU = {'type': 'ReLU'}


def conv_layers(
    configs: tuple[dict | None, dict | None, dict | None],
    channels: tuple[int, int],
    kernel: int,
    dilation: int = 1,
    bias: bool | None = None,
) -> list[nn.Module]:
    """A convolution that keeps the size, its norm and its activation.

    The layers of mmcv's ConvModule, but one after the other, so that
    parameters can have torchvision's names. ConvModule also draws weights,
    which would change the numbers of a seed.

    Args:
        configs (tuple[dict | None, dict | None, dict | None]): `conv_cfg`
            (None: Conv2d), `norm_cfg` (None: no norm) and `act_cfg` (None: no
            activation, which works in place where it can).
        channels (tuple[int, int]): Channels of the input and of the output.
        kernel (int): Odd height and width of the kernel.
        dilation (int): Of the kernel. Defaults to 1.
        bias (bool | None): Whether the convolution has one. Defaults to None:
            it has one if no norm follows.

    Returns:
        list[nn.Module]: One to three layers.
    """
    conv_cfg, norm_cfg, act_cfg = configs
    bias = norm_cfg is None if bias is None else bias
    place = {'padding': dilation * (kernel // 2), 'dilation': dilation}
    layers = [
        build_conv_layer(conv_cfg, *channels, kernel, bias=bias, **place)
    ]
    if norm_cfg is not None:
        layers.append(build_norm_layer(norm_cfg, channels[1])[1])
    if act_cfg is not None:
        layers.append(build_activation_layer(act_cfg))
        if hasattr(layers[-1], 'inplace'):
            layers[-1].inplace = True
    return layers
