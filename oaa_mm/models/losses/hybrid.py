"""The hybrid loss that trains OAA+ on accumulated attention."""

from typing import Any

from torch import Tensor

from oaa_mm.checks import check_choice
from oaa_mm.registry import MODELS

from .attention_loss import AttentionLoss, log_sigmoids, positions_inside

#: Reduction -> dimensions over which the sets N+ and N- are counted.
REDUCTIONS = {'joint': (1, 2, 3), 'per_class': (2, 3), 'batch': (0, 1, 2, 3)}


def hybrid_attention_loss(
    logits: Tensor,
    target: Tensor,
    *,
    valid: Tensor | None = None,
    reduction: str = 'joint',
) -> Tensor:
    """Hybrid loss between score maps and accumulated attention.

    With attention p, scores x and the sets N+ = {p > 0}, N- = {p = 0} of
    (class, position) pairs::

        L = - 1/|N+| sum_{N+} p log(sigmoid(x))
            - 1/|N-| sum_{N-} log(1 - sigmoid(x))

    The second sum is not weighted by p, which is 0 there, and N+ has no
    (1 - p) log(1 - sigmoid(x)). (The article prints a p in the second sum, by
    mistake: both releases of its authors train with the loss above.)

    An empty set contributes 0. Classes that an image does not have are maps
    of zeros and belong to N-.

    Args:
        logits (Tensor): (N, C, h, w) scores x, before the sigmoid.
        target (Tensor): (N, C, h, w) attention p in [0, 1], floating.
        valid (Tensor | None): (N, 2) height and width of each map without its
            padding at the bottom and right, which belongs to neither set;
            None means no padding.
        reduction (str): The elements over which N+ and N- are counted:
            ``'joint'``, all classes of an image, then the mean over the images
            (both releases); ``'per_class'``, each class of an image, then the
            sum over classes and the mean over images (the article);
            ``'batch'``, the whole batch of a process (the PyTorch release,
            where its batch is larger than 1). Defaults to ``'joint'``.

    Returns:
        Tensor: Scalar, at least float32 whatever the type of `logits`.

    Raises:
        ValueError: `reduction` is unknown, shapes differ, or `target` holds
            integers.

    Example:
        >>> logits = torch.tensor([[[[0., 0.]], [[0., 0.]]]])
        >>> target = torch.tensor([[[[1., .5]], [[0., 0.]]]])
        >>> hybrid_attention_loss(logits, target)  # (3/4 + 1) log 2
        tensor(1.2130)
    """
    loss = HybridAttentionLoss(reduction)
    inside = positions_inside(logits, target, valid)
    return loss.compute(logits, target, inside)


@MODELS.register_module()
class HybridAttentionLoss(AttentionLoss):
    """:func:`hybrid_attention_loss` as a module.

    In :class:`~oaa_mm.models.IntegralAttentionModel` the target is the
    accumulated attention. In the `loss_decode` of a decode head of mmseg it
    is a mask with hard labels, which becomes one-hot attention: the labelled
    class of a pixel is in N+ with p = 1, all its other classes are in N-, and
    ignored pixels (255) are in neither. Every channel of the head takes part,
    so the background, if it is one, is a class like the others. Each channel
    is then a detector of its own (sigmoid); the head's arg-max works as
    before.

    Args:
        reduction (str): ``'joint'``, ``'per_class'`` or ``'batch'``; a config
            that inherits another loss with a `reduction` has to set it.
            Defaults to ``'joint'``.
        loss_weight (float): Factor of the loss. Defaults to 1.0.
        loss_name (str): Its name in the log; only names that hold `loss` take
            part in training. Defaults to ``'loss_hybrid'``.
        **inherited: Arguments that a config inherits from the loss it
            replaces, see :class:`AttentionLoss`.

    Raises:
        ValueError: An argument is unknown or out of its range.
    """

    def __init__(
        self,
        reduction: str = 'joint',
        loss_weight: float = 1.0,
        loss_name: str = 'loss_hybrid',
        **inherited: Any,
    ) -> None:
        super().__init__(loss_weight, loss_name, **inherited)
        check_choice('reduction', reduction, REDUCTIONS)
        self.reduction = reduction

    def compute(
        self, logits: Tensor, target: Tensor, inside: Tensor
    ) -> Tensor:
        """See :meth:`AttentionLoss.compute`."""
        over = REDUCTIONS[self.reduction]
        target = target.where(inside, 0.0)
        attended = target > 0
        empty = inside & ~attended
        log_yes, log_no = log_sigmoids(logits, inside)
        yes = (target * log_yes).where(attended, 0.0).sum(over)
        no = log_no.where(empty, 0.0).sum(over)
        # Where a set is empty its sum is 0, whatever it is divided by.
        terms = -yes / attended.sum(over).clamp_min(1)
        terms = terms - no / empty.sum(over).clamp_min(1)
        if self.reduction == 'batch':
            return terms
        return terms.sum() / len(logits)
