"""Which feature maps a head takes, by the rules of mmseg."""

from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from oaa_mm.checks import check_number


class SingleInput:
    """Mixin of heads that compute on one feature map.

    It is one of the backbone's, or several of them that are resized to the
    first one and concatenated (``input_transform='resize_concat'``).
    """

    _transform_inputs = BaseDecodeHead._transform_inputs

    def _init_inputs(self, *given: Any) -> None:
        """Set `in_channels`, `in_index` and `input_transform`, as mmseg."""
        name = type(self).__name__
        try:
            BaseDecodeHead._init_inputs(self, *given)
        except AssertionError as error:
            raise ValueError(
                f'{name}: in_channels, in_index and input_transform are '
                f'{given}, which do not fit. The first two are integers where '
                "the last is None, and equally long lists for 'resize_concat'"
            ) from error
        # 'multiple_select' leaves a list, which is for heads with branches.
        name += f': in_channels with input_transform={given[2]!r}'
        check_number(name, self.in_channels, low=1, integer=True)
