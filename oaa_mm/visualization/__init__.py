"""Attention maps as pictures: overlays, strips and films, comparisons."""

from .animation import draw_animations, evolution_frames, write_animation
from .comparison import comparison_row, draw_comparisons
from .draw import choose_ids, choose_images, draw_strips
from .epochs import (
    EpochStores,
    find_epochs,
    load_epochs,
    maps_over_epochs,
    select_epochs,
)
from .layouts import EpochMaps, evolution_strip
from .overlay import class_color, overlay_attention, overlay_mask
from .visualization_hook import AttentionVisualizationHook

__all__ = [
    'AttentionVisualizationHook',
    'EpochMaps',
    'EpochStores',
    'choose_ids',
    'choose_images',
    'class_color',
    'comparison_row',
    'draw_animations',
    'draw_comparisons',
    'draw_strips',
    'evolution_frames',
    'evolution_strip',
    'find_epochs',
    'load_epochs',
    'maps_over_epochs',
    'overlay_attention',
    'overlay_mask',
    'select_epochs',
    'write_animation',
]
