"""Files: written whole, and images and masks read as training sees them."""

from .files import atomic_write, write_json
from .ids import check_image_id

__all__ = ['atomic_write', 'check_image_id', 'write_json']
