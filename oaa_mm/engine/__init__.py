"""The hooks of the method: accumulation beside a training."""

from .ablation_hook import OAAAblationHook
from .oaa_drop_hook import OAADropHook
from .oaa_hook import OAAHook

__all__ = ['OAAAblationHook', 'OAADropHook', 'OAAHook']
