"""How good are attention maps and image-level scores?

`functional` (maps to histogram), `scores` (histogram to curves) and `ranking`
are plain numpy; `stores` and `sweep` read files; `tables` and `curves` show
the result; `metrics` brings it into mmengine's loops.
"""

from .functional import attention_histogram, image_histogram, score_histogram
from .metrics import (
    AttentionMetric,
    AttentionStoreWriter,
    MultiLabelMetric,
)
from .ranking import average_precision, class_average_precisions
from .scores import AttentionScores, recall_at_precision
from .sweep import StoreResult, evaluate_store

__all__ = [
    'AttentionMetric',
    'AttentionScores',
    'AttentionStoreWriter',
    'MultiLabelMetric',
    'StoreResult',
    'attention_histogram',
    'average_precision',
    'class_average_precisions',
    'evaluate_store',
    'image_histogram',
    'recall_at_precision',
    'score_histogram',
]
