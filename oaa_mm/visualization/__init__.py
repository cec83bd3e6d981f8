"""Attention maps as pictures: overlays, strips, films and comparisons."""

from .draw import (
    FILM_SUFFIXES,
    choose_ids,
    draw_pictures,
    picture_paths,
)
from .epochs import (
    EpochMaps,
    EpochStores,
    find_epochs,
    load_epochs,
    select_epochs,
)
from .grid import Tile, jpeg_uri
from .layouts import comparison_rows, film_rows, strip_rows
from .notebook import NUM_THUMBNAILS, thumbnail, thumbnails
from .overlay import class_color, overlay_attention, overlay_mask
from .tiles import ImageTiles
from .visualization_hook import AttentionVisualizationHook

__all__ = [
    'FILM_SUFFIXES',
    'NUM_THUMBNAILS',
    'AttentionVisualizationHook',
    'EpochMaps',
    'EpochStores',
    'ImageTiles',
    'Tile',
    'choose_ids',
    'class_color',
    'comparison_rows',
    'draw_pictures',
    'film_rows',
    'find_epochs',
    'jpeg_uri',
    'load_epochs',
    'overlay_attention',
    'overlay_mask',
    'picture_paths',
    'select_epochs',
    'strip_rows',
    'thumbnail',
    'thumbnails',
]
