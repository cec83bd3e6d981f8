"""A doctor for data sets: finds what is wrong before a night of training.

`split` describes a data set and reads it by the functions of the later
stages, `files` tells what they saw of single files, `check_*` turn
that into `findings`. `layout` and `config`
describe a data set from folders or from a config of MMEngine.
"""

from .dataset import check_dataset
from .findings import (
    Finding,
    count_severity,
    print_findings,
    save_findings,
)
from .layout import splits_from_folders
from .split import Split

__all__ = [
    'Finding',
    'Split',
    'check_dataset',
    'count_severity',
    'print_findings',
    'save_findings',
    'splits_from_folders',
]
