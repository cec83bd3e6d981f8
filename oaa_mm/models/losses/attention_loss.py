"""The base of the losses with soft attention targets, and the plainest one."""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from oaa_mm.attention import valid_mask
from oaa_mm.checks import check_number
from oaa_mm.registry import MODELS

#: Arguments of mmseg's losses that cannot matter here: each channel has its
#: own sigmoid, and ignored pixels never count.
HARMLESS = ('use_sigmoid', 'avg_non_ignore')
#: Arguments of mmseg's losses that matter, unless they are at this value.
NEUTRAL = {'class_weight': None, 'use_mask': False, 'ignore_index': 255}


class AttentionLoss(nn.Module, ABC):
    """The base of the losses of this package.

    Overriding `loss_decode` of an inherited config merges the two dicts, so
    the arguments of the loss that was there arrive here. Those which cannot
    matter are accepted (`use_sigmoid`, `avg_non_ignore`), those at a value
    without effect as well (``class_weight=None``, ``use_mask=False``,
    ``ignore_index=255``); any other is an error.

    Args:
        loss_weight (float): Factor of the loss.
        loss_name (str): Its name in the log; has to hold `loss`.
        **inherited: See above.

    Raises:
        ValueError: An inherited argument would change the loss, or
            `loss_name` does not hold `loss`.
    """

    def __init__(
        self, loss_weight: float, loss_name: str, **inherited: Any
    ) -> None:
        super().__init__()
        refused = {
            name: value
            for name, value in inherited.items()
            if name not in HARMLESS and (name, value) not in NEUTRAL.items()
        }
        if refused:
            listed = ', '.join(f'{k}={v!r}' for k, v in refused.items())
            raise ValueError(
                f'{type(self).__name__} cannot do {listed}. If the config '
                'inherits this from another loss, add `_delete_=True` to '
                '`loss_decode`, or write `loss_decode` as a list'
            )
        check_number('loss_weight', loss_weight, low=0)
        if 'loss' not in str(loss_name):
            raise ValueError(
                f"loss_name should contain 'loss', but got {loss_name!r}; "
                'mmengine adds up only entries of such a name'
            )
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        ignore_index: int = 255,
        *,
        valid: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            logits (Tensor): (N, C, h, w) scores, before the sigmoid.
            target (Tensor): (N, C, h, w) floating, attention in [0, 1]; or
                (N, h, w) integers, a mask with the channel of each pixel.
            weight (Tensor | None): Weights of pixels, as a `sampler` of mmseg
                gives them, are refused.
            ignore_index (int): Value of pixels in a mask that do not count.
                Defaults to 255.
            valid (Tensor | None): (N, 2) height and width without padding;
                None counts every position.

        Returns:
            Tensor: Scalar.

        Raises:
            ValueError: Shapes do not fit, a mask holds a value that is no
                channel, or there are weights.
        """
        if weight is not None:
            raise ValueError(
                f'{type(self).__name__} has no weights of pixels: remove '
                '`sampler` from the decode head'
            )
        counts = True
        if target.ndim == 3:
            counts = (target != ignore_index)[:, None]
            target = _one_hot(target, logits, ignore_index)
        inside = positions_inside(logits, target, valid) & counts
        return self.loss_weight * self.compute(logits, target, inside)

    @abstractmethod
    def compute(
        self, logits: Tensor, target: Tensor, inside: Tensor
    ) -> Tensor:
        """The loss, not weighted.

        Args:
            logits (Tensor): (N, C, h, w) scores.
            target (Tensor): (N, C, h, w) attention in [0, 1].
            inside (Tensor): (N, 1, h, w) bool, the positions that count.

        Returns:
            Tensor: Scalar.
        """


def _one_hot(labels: Tensor, logits: Tensor, ignore_index: int) -> Tensor:
    """(N, C, h, w) float32 attention of a mask, 0 where it is ignored."""
    channels = torch.arange(logits.shape[1], device=labels.device)
    outside = (labels < 0) | (labels >= len(channels))
    outside &= labels != ignore_index
    if outside.any():
        raise ValueError(
            f'a mask holds the value {int(labels[outside][0])}, but the '
            f'scores have the channels 0 to {len(channels) - 1} '
            f'({ignore_index} is ignored): check `num_classes` of the head '
            'and `reduce_zero_label`'
        )
    kept = labels.where(labels != ignore_index, -1)
    return (kept[:, None] == channels[:, None, None]).float()


def positions_inside(
    logits: Tensor, target: Tensor, valid: Tensor | None
) -> Tensor:
    """Mark the positions that count, and check the shapes.

    Args:
        logits (Tensor): (N, C, h, w).
        target (Tensor): (N, C, h, w) attention in [0, 1], floating.
        valid (Tensor | None): (N, 2) height and width of each map without
            its padding at the bottom and right; None counts every position.

    Returns:
        Tensor: (N, 1, h, w) bool, on the device of `logits`.

    Raises:
        ValueError: The shapes do not fit, or `target` holds integers.
    """
    if logits.ndim != 4 or logits.shape != target.shape:
        raise ValueError(
            'expected logits and target of one shape (N, C, h, w), but got '
            f'{tuple(logits.shape)} and {tuple(target.shape)}'
        )
    if not target.is_floating_point():
        raise ValueError(
            f'target is {target.dtype}, but attention in [0, 1] is needed: '
            'divide uint8 maps by 255'
        )
    count, _, *size = logits.shape
    if valid is None:
        return logits.new_ones((count, 1, *size), dtype=torch.bool)
    if tuple(valid.shape) != (count, 2):
        raise ValueError(
            f'valid should be ({count}, 2), but got {tuple(valid.shape)}'
        )
    return valid_mask(valid, logits)[:, None]


def log_sigmoids(logits: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """log(sigmoid(x)) and log(1 - sigmoid(x)), exact for any x.

    At least float32, also where autocast made the logits half precision.
    Formulas through sigmoid itself saturate: from x = 17 on, log(1 -
    sigmoid(x)) has no gradient in float32, and a confidently wrong position
    would never recover.

    Args:
        logits (Tensor): (N, C, h, w).
        inside (Tensor): (N, 1, h, w) bool; elsewhere the logits are replaced
            by 0, so that neither Inf nor NaN comes back from there.

    Returns:
        tuple[Tensor, Tensor]: Both of the shape of `logits`.
    """
    precise = torch.promote_types(logits.dtype, torch.float32)
    logits = logits.to(precise).where(inside, 0.0)
    return F.logsigmoid(logits), F.logsigmoid(-logits)


@MODELS.register_module()
class SoftBCEAttentionLoss(AttentionLoss):
    """Binary cross entropy -p log(q) - (1 - p) log(1 - q), q = sigmoid(x).

    The mean over all classes and positions of an image, then over the images.
    Jiang et al. (ICCV 2019) compare their hybrid loss with it. Its inputs are
    those of :class:`HybridAttentionLoss`.

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.0.
        loss_name (str): Its name in the log. Defaults to ``'loss_bce'``.
        **inherited: Arguments that a config inherits from the loss it
            replaces, see :class:`AttentionLoss`.

    Raises:
        ValueError: An argument is unknown.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_bce',
        **inherited: Any,
    ) -> None:
        super().__init__(loss_weight, loss_name, **inherited)

    def compute(
        self, logits: Tensor, target: Tensor, inside: Tensor
    ) -> Tensor:
        """See :meth:`AttentionLoss.compute`."""
        target = target.where(inside, 0.0)
        log_yes, log_no = log_sigmoids(logits, inside)
        terms = -(target * log_yes + (1 - target) * log_no).where(inside, 0.0)
        counts = inside.sum((1, 2, 3)).clamp_min(1) * logits.shape[1]
        return (terms.sum((1, 2, 3)) / counts).mean()
