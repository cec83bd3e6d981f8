"""A doctor for data sets: finds what is wrong before a night of training.

`split` describes a data set and reads it, `probe` reads single files, the
functions of `checks` turn what was read into findings, and `report` prints
them. `layout` and `config` describe a data set from folders or from a config
of MMEngine.
"""

from .dataset import check_dataset, check_split
from .findings import Finding, count_severity, sort_findings
from .layout import find_classes, splits_from_folders
from .probe import Probe, probe_file, probe_files
from .report import print_findings, save_findings
from .split import Split, SplitData, load_split

__all__ = [
    'Finding',
    'Probe',
    'Split',
    'SplitData',
    'check_dataset',
    'check_split',
    'count_severity',
    'find_classes',
    'load_split',
    'print_findings',
    'probe_file',
    'probe_files',
    'save_findings',
    'sort_findings',
    'splits_from_folders',
]
