"""How maps are computed at test time."""

from dataclasses import dataclass

from mmseg.structures import SegDataSample
from torch import Tensor

from oaa_mm.attention import NORMS
from oaa_mm.checks import check_choice, check_number


@dataclass(frozen=True)
class InferenceConfig:
    """How maps are computed in the `predict` mode (`test_cfg`).

    Attributes:
        scales (tuple[float, ...]): Scales of the input whose score maps are
            averaged. Defaults to (1.0,).
        flip (bool): Average with the maps of the mirrored image. Defaults to
            False.
        use_labels (bool): Give maps of the labelled classes where labels are
            given. False always takes the predicted classes, as validation on
            unseen images must. Defaults to True.
        score_thr (float): Probability from which a class counts as predicted;
            the most probable class always does. Defaults to 0.5.
        norm (str): See :func:`~oaa_mm.attention.normalise_attention`.
    """

    scales: tuple[float, ...] = (1.0,)
    flip: bool = False
    use_labels: bool = True
    score_thr: float = 0.5
    norm: str = 'max'

    @classmethod
    def from_dict(cls, config: dict) -> 'InferenceConfig':
        """Read `test_cfg`; an unknown key is a ValueError that names it."""
        for key in config:
            check_choice('a key of test_cfg', key, cls.__dataclass_fields__)
        return cls(**config)

    def __post_init__(self) -> None:
        """Check the values of a user's config."""
        scales = self.scales
        if not isinstance(scales, (list, tuple)) or not scales:
            raise ValueError(
                f'test_cfg.scales should be a list of numbers, not {scales}'
            )
        for scale in scales:
            check_number('test_cfg.scales', scale, low=0, excluded=0)
        check_number('test_cfg.score_thr', self.score_thr, low=0, high=1)
        check_choice('test_cfg.norm', self.norm, NORMS)

    def classes_of(self, sample: SegDataSample, probability: Tensor) -> Tensor:
        """Choose the classes that get a map.

        Args:
            sample (SegDataSample): The sample of an image, perhaps with
                `gt_label` (C,).
            probability (Tensor): (C,) class probabilities.

        Returns:
            Tensor: (K,) indices of classes, increasing.
        """
        if self.use_labels and 'gt_label' in sample:
            return sample.gt_label.to(probability.device).nonzero()[:, 0]
        chosen = probability >= self.score_thr
        chosen[probability.argmax()] = True
        return chosen.nonzero()[:, 0]
