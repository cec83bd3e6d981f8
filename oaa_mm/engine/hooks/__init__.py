"""Hooks for mmengine's runner."""

from .oaa_hook import OAAHook

__all__ = ['OAAHook']
