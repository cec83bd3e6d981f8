"""The core of OAA: from score maps to the memory of attention maps.

Tensors in, uint8 maps out; nothing here needs a runner. In the order of the
data: `normalise` turns scores into attention maps, `accept` decides which of
them count, `batch` does both for a batch, `place` brings them back to the
image's own frame, `accumulator` fuses them epoch by epoch, `store` keeps them,
in memory and in one file.
"""

from .accept import ACCEPTANCE_RULES, accept_pairs
from .accumulator import FUSIONS, AttentionAccumulator
from .collector import CollectedEpoch
from .normalise import NORMS, normalise_attention, quantise_attention
from .place import Placement, place_map, unplace_map
from .pooling import mean_scores, valid_mask
from .resize import attention_to_image
from .store import AttentionStore
from .summary import EpochSummary

__all__ = [
    'ACCEPTANCE_RULES',
    'FUSIONS',
    'NORMS',
    'AttentionAccumulator',
    'AttentionStore',
    'CollectedEpoch',
    'EpochSummary',
    'Placement',
    'accept_pairs',
    'attention_to_image',
    'mean_scores',
    'normalise_attention',
    'place_map',
    'quantise_attention',
    'unplace_map',
    'valid_mask',
]
