"""The constants of pseudo-labels."""

from dataclasses import dataclass, field, fields
from typing import Any

from oaa_mm.checks import check_choice, check_number

BACKGROUNDS = ('saliency', 'power', 'constant', 'rest')


def _constant(default: float, help: str) -> Any:
    return field(default=default, metadata={'help': help})


@dataclass(frozen=True, kw_only=True)
class LabelRules:
    """The parameters of :func:`compose_label`, checked; see there.

    Args:
        background (str): Where the score of the background comes from:
            ``'saliency'``, ``'power'``, ``'constant'`` or ``'rest'``.
        alpha (float): Exponent of ``'power'``, > 0.
        theta (float): Score of ``'constant'``, 0..1.
        fg_threshold (float): The least attention of foreground, 0..1; scores
            of the background below it do not count.
        conflict_threshold (float): More than one score above it is a
            conflict, 0..1.
        bg_threshold (float): Saliency of background is below it, 0..1.
        attention_threshold (float): Attention above it forbids background,
            0..1.
        min_foreground (float): The least share of foreground pixels in a
            label that is used, 0..1.

    Raises:
        ValueError: The background is unknown or a constant out of range.
    """

    background: str = 'saliency'
    alpha: float = _constant(4.0, 'background power: (1 - max a)^ALPHA')
    theta: float = _constant(0.2, 'background constant: its score')
    fg_threshold: float = _constant(0.3, 'least attention of foreground')
    conflict_threshold: float = _constant(
        0.9, 'several scores above it are a conflict'
    )
    bg_threshold: float = _constant(
        32 / 255, 'background is less salient than this (32/255)'
    )
    attention_threshold: float = _constant(
        0.8, 'attention above it forbids background'
    )
    min_foreground: float = _constant(
        0.01, 'images with a smaller share of foreground are all 255'
    )

    def __post_init__(self) -> None:
        """Check the values."""
        check_choice('background', self.background, BACKGROUNDS)
        check_number('alpha', self.alpha, low=0, excluded=0)
        for constant in self.constants()[1:]:
            value = getattr(self, constant.name)
            check_number(constant.name, value, low=0, high=1)

    def check_saliency(self, given: bool) -> None:
        """Refuse saliency maps that are not needed, or the lack of them.

        Args:
            given (bool): Whether there are saliency maps.

        Raises:
            ValueError: The background needs saliency maps that are not given,
                or takes none.
        """
        needed = self.background == 'saliency'
        if needed and not given:
            raise ValueError(
                "background 'saliency' needs saliency maps (--saliency-dir of "
                'tools/make_pseudo_labels.py); without them choose the '
                "background 'power' or 'constant'"
            )
        if given and not needed:
            raise ValueError(
                f'background {self.background!r} takes no saliency maps; '
                "leave them out, or choose the background 'saliency'"
            )

    def check_segmentor(self, given: bool, targets: bool) -> None:
        """Refuse a background that does not suit the scores.

        Args:
            given (bool): Whether the scores are those of a network.
            targets (bool): Whether maps are to be averaged with targets.

        Raises:
            ValueError: The background is ``'rest'`` for attention maps, or
                another one for scores of a network; or there is a network
                and targets, though its scores replace the maps.
        """
        if given and targets:
            raise ValueError(
                '--segmentor replaces the maps of STORE by the scores of a '
                'network, so there is nothing to average with --targets: '
                'leave one of the two out'
            )
        if given != (self.background == 'rest'):
            raise ValueError(
                "background 'rest' is what a segmentation network "
                '(--segmentor of tools/make_pseudo_labels.py) leaves: give '
                f'both or neither, but got the background {self.background!r} '
                f'{"with" if given else "without"} such a network'
            )

    @classmethod
    def constants(cls) -> tuple:
        """The fields that are numbers, with a help text each."""
        return tuple(f for f in fields(cls) if 'help' in f.metadata)
