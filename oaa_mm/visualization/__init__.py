"""Attention maps as pictures: overlays, strips over epochs, comparisons."""

from .comparison import comparison_row, draw_comparisons
from .draw import choose_ids, choose_images, draw_strips
from .overlay import class_color, overlay_attention, overlay_mask
from .strip import EpochMaps, evolution_strip
from .work_dir import EpochStores, find_epochs, load_epochs, select_epochs

__all__ = [
    'EpochMaps',
    'EpochStores',
    'choose_ids',
    'choose_images',
    'class_color',
    'comparison_row',
    'draw_comparisons',
    'draw_strips',
    'evolution_strip',
    'find_epochs',
    'load_epochs',
    'overlay_attention',
    'overlay_mask',
    'select_epochs',
]
