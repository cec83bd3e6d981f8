"""Plain binary cross entropy with attention as soft labels: an ablation."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from oaa_mm.registry import MODELS

from .attention_loss import AttentionLoss, log_sigmoids


@MODELS.register_module()
class SoftBCEAttentionLoss(AttentionLoss):
    """Binary cross entropy -p log(q) - (1 - p) log(1 - q), q = sigmoid(x).

    The mean over all classes and positions of an image, then over the images.
    Jiang et al. (ICCV 2019) compare their hybrid loss with it. It takes what
    :class:`HybridAttentionLoss` takes.

    Args:
        loss_weight (float): Factor of the loss. Defaults to 1.0.
        loss_name (str): Its name in the log. Defaults to ``'loss_bce'``.
        **inherited: What a config inherits from the loss it replaces, see
            :class:`AttentionLoss`.

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
