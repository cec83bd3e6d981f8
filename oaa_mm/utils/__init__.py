"""Small parts used by every room of the package."""

from .files import atomic_write

__all__ = ['atomic_write']
