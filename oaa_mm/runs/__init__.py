"""What any training needs: locks, resuming, seeds, manifests, launching."""

from .checkpoints import AtomicCheckpointHook, ResumeHook
from .epoch_seed_hook import EpochSeedHook
from .invalid_loss_hook import InvalidLossHook
from .lock import LockHook
from .manifest import ManifestHook
from .precision import BFloat16OptimWrapper, ChannelsLastHook

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'ChannelsLastHook',
    'EpochSeedHook',
    'InvalidLossHook',
    'LockHook',
    'ManifestHook',
    'ResumeHook',
]
