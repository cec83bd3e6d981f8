"""How good are attention maps, labels and image-level scores?

`counts` (pixels to histograms) and `scores` (histograms to scores) are plain
numpy; `compare` reads stores, labels and masks; `results` holds the scores,
`score_file` writes and reads them as JSON, `tables` and `curves` show them,
`summary` those of a pipeline;
`metrics` brings them into mmengine's loops.
"""

from .compare import evaluate_labels, evaluate_store
from .counts import label_at, label_matrix
from .metrics import AttentionMetric, AttentionStoreWriter, MultiLabelMetric
from .results import Result
from .score_file import read_results, write_results
from .scores import Scores, confusion_scores, sweep_scores

__all__ = [
    'AttentionMetric',
    'AttentionStoreWriter',
    'MultiLabelMetric',
    'Result',
    'Scores',
    'confusion_scores',
    'evaluate_labels',
    'evaluate_store',
    'label_at',
    'label_matrix',
    'read_results',
    'sweep_scores',
    'write_results',
]
