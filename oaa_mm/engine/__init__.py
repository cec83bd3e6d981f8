"""What runs beside a training."""

from .hooks import ManifestHook, OAAHook

__all__ = ['ManifestHook', 'OAAHook']
