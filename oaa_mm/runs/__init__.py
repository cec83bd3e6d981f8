"""What any training needs: locks, resuming, seeds, manifests, launching."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .channels_last_hook import ChannelsLastHook
from .checkpoints import AtomicCheckpointHook, ResumeHook
from .epoch_seed_hook import EpochSeedHook
from .invalid_loss_hook import InvalidLossHook
from .lock import LockHook
from .manifest import ManifestHook

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
