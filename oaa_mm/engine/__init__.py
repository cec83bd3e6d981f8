"""What runs beside a training."""

from .hooks import ManifestHook, OAAAblationHook, OAAHook

__all__ = ['ManifestHook', 'OAAAblationHook', 'OAAHook']
