"""Small parts used by every room of the package."""

from .files import atomic_write
from .ids import check_image_id

__all__ = ['atomic_write', 'check_image_id']
