"""Files: written whole, and images and masks read as training sees them."""

from .files import atomic_write, read_bytes, read_text, write_json
from .ids import check_image_id, image_id_of
from .image_files import find_by_id, find_images
from .image_folder import ImageFolder
from .images import open_image, read_grey, read_image, write_image
from .masks import (
    IGNORE_INDEX,
    classes_in,
    read_mask,
    voc_colormap,
    write_mask,
)

__all__ = [
    'IGNORE_INDEX',
    'ImageFolder',
    'atomic_write',
    'check_image_id',
    'classes_in',
    'find_by_id',
    'find_images',
    'image_id_of',
    'open_image',
    'read_bytes',
    'read_grey',
    'read_image',
    'read_mask',
    'read_text',
    'voc_colormap',
    'write_image',
    'write_json',
    'write_mask',
]
