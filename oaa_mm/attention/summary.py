"""The result of an epoch of accumulation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochSummary:
    """The counts of one epoch of accumulation.

    Attributes:
        epoch (int): Index of the epoch, from 0.
        pairs (int): Labelled (image, class) pairs seen in the epoch.
        accepted (int): Pairs whose map was accepted and fused; 0 before the
            accumulation starts.
        never_accepted (int): Pairs seen so far without any accepted map,
            counted before the fallback fills them.
        coverage (float): Mean of the memory M in [0, 1].
        non_finite (int): Pairs of which a map was dropped for NaN or Inf among
            its scores.
        all_zero (int): Pairs of the memory M whose map is zero everywhere: a
            present class that would be learned as an absent one.
    """

    epoch: int
    pairs: int
    accepted: int
    never_accepted: int
    coverage: float
    non_finite: int = 0
    all_zero: int = 0

    @property
    def accept_rate(self) -> float:
        """Share of the pairs seen whose map was accepted, in [0, 1]."""
        return self.accepted / self.pairs if self.pairs else 0.0
