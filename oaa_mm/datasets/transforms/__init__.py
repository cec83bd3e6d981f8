"""Transforms, and the record of their effect on an image."""

from .attention_maps import LoadAttentionMaps
from .color import ColorJitter
from .formatting import PackImageLevelInputs
from .geometry import RecordingCompose
from .masks import LoadMaskOrIgnore

__all__ = [
    'ColorJitter',
    'LoadAttentionMaps',
    'LoadMaskOrIgnore',
    'PackImageLevelInputs',
    'RecordingCompose',
]
