"""From attention maps to labels that a segmentation model trains on.

Arrays in, palette PNGs out. `rules` holds the constants, `compose` turns
maps and saliency into a label, `refine` (with `contrast`, `grabcut`, `par`,
`regions` and `region_files`) follows the image; `folder` makes a whole folder
of labels, with `inputs`, `workers` and `summary` as its parts, and `labels`
reads one.
"""

from .compose import Refine, compose_label, label_image
from .labels import LabelFolder
from .refine import REFINEMENTS, build_refine
from .rules import BACKGROUNDS, LabelRules

__all__ = [
    'BACKGROUNDS',
    'REFINEMENTS',
    'LabelFolder',
    'LabelRules',
    'Refine',
    'build_refine',
    'compose_label',
    'label_image',
]
