"""The hooks of the method: accumulation, and a check of OAA+."""

from .ablation_hook import OAAAblationHook
from .agreement_hook import AgreementHook
from .oaa_drop_hook import OAADropHook
from .oaa_hook import OAAHook

__all__ = ['AgreementHook', 'OAAAblationHook', 'OAADropHook', 'OAAHook']
