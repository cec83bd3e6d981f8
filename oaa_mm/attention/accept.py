"""Which attention maps count: is the classifier sure enough of the class?"""

import torch
from torch import Tensor

from oaa_mm.checks import check_choice

ACCEPTANCE_RULES = ('topk', 'threshold', 'all_targets', 'none')


def accept_pairs(
    logits: Tensor,
    labels: Tensor,
    *,
    acceptance: str = 'topk',
    threshold: float = 0.1,
) -> Tensor:
    """Decide for each labelled (image, class) pair whether its map counts.

    Rules, with Y the labels of an image and K their number:

    - ``'topk'``: fewer than K classes have a higher score than c (the later
      releases of the authors; ties are accepted).
    - ``'threshold'``: the probability of c is at least `threshold` (the first
      PyTorch release).
    - ``'all_targets'``: every class of Y scores higher than every other
      class, else all maps of the image are dropped (Jiang et al., ICCV 2019,
      Section 3.2).
    - ``'none'``: every labelled pair.

    An image with a score that is not finite is never accepted.

    Args:
        logits (Tensor): (N, C) class scores before the sigmoid.
        labels (Tensor): (N, C) image-level labels, 0 or 1.
        acceptance (str): The rule. Defaults to ``'topk'``.
        threshold (float): Probability for ``'threshold'``. Defaults to 0.1.

    Returns:
        Tensor: (N, C) bool, False wherever the label is 0.

    Raises:
        ValueError: `acceptance` is unknown.
    """
    check_choice('acceptance', acceptance, ACCEPTANCE_RULES)
    logits = logits.detach().float()
    positive = labels.to(logits.device, non_blocking=True) > 0
    finite = logits.isfinite().all(1, keepdim=True)
    if acceptance == 'topk':
        higher = (logits[:, None, :] > logits[:, :, None]).sum(2)  # (N, C)
        sure = higher < positive.sum(1, keepdim=True)
    elif acceptance == 'threshold':
        sure = logits.sigmoid() >= threshold
    elif acceptance == 'all_targets':
        worst = logits.masked_fill(~positive, torch.inf).amin(1)
        best = logits.masked_fill(positive, -torch.inf).amax(1)
        sure = (worst > best)[:, None]
    else:
        sure = torch.ones_like(positive)
    return positive & sure & finite
