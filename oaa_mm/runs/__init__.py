"""What any training needs: locks, resuming, seeds, manifests, launching."""

from .bf16_optim_wrapper import BFloat16OptimWrapper
from .checkpoint_hook import AtomicCheckpointHook
from .epoch_seed_hook import EpochSeedHook
from .invalid_loss_hook import InvalidLossHook
from .lock import LockHook
from .manifest import ManifestHook
from .resume import ResumeHook

__all__ = [
    'AtomicCheckpointHook',
    'BFloat16OptimWrapper',
    'EpochSeedHook',
    'InvalidLossHook',
    'LockHook',
    'ManifestHook',
    'ResumeHook',
]
