"""The core of OAA: from score maps to the memory of attention maps.

Tensors in, uint8 maps out; nothing here needs a runner. In the order of the
data: `maps` turns scores into attention maps and asks `accept` which of them
count, they are `waiting` for their copy from the device, `place` brings them
back to the image's own frame, `fuse` holds the rule by which the `accumulator`
fuses them epoch by epoch, its `state` can be joined with that of another
process, `store` is the dictionary of the maps and `store_file` its file.
"""

from .accept import accept_pairs
from .accumulator import AttentionAccumulator
from .agreement import Agreement, agreement_of_stores, average_with_targets
from .maps import (
    NORMS,
    mean_scores,
    normalise_attention,
    quantise_attention,
    valid_mask,
)
from .place import Placement, attention_to_image, from_frame, to_frame
from .store import AttentionStore
from .summary import EpochSummary

__all__ = [
    'NORMS',
    'Agreement',
    'AttentionAccumulator',
    'AttentionStore',
    'EpochSummary',
    'Placement',
    'accept_pairs',
    'agreement_of_stores',
    'attention_to_image',
    'average_with_targets',
    'from_frame',
    'mean_scores',
    'normalise_attention',
    'quantise_attention',
    'to_frame',
    'valid_mask',
]
