"""What runs beside a training."""

from .hooks import OAAHook

__all__ = ['OAAHook']
