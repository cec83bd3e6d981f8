"""How good are attention maps, labels and image-level scores?

`counts` (pixels to histograms), `scores` (histograms to scores) and `ranking`
are plain numpy; `compare` reads stores, labels and masks; `score_file` writes
and reads scores as JSON; `tables` and `curves` show them; `metrics` brings
them into mmengine's loops.
"""

from .compare import StoreResult, evaluate_store
from .counts import (
    attention_histogram,
    image_histogram,
    label_at,
    label_matrix,
)
from .metrics import (
    AttentionMetric,
    AttentionStoreWriter,
    MultiLabelMetric,
)
from .ranking import average_precision, class_average_precisions
from .score_file import ScoreRecord, read_scores, write_scores
from .scores import (
    LABEL_POLICIES,
    Scores,
    confusion_scores,
    recall_at_precision,
    sweep_scores,
)

__all__ = [
    'LABEL_POLICIES',
    'AttentionMetric',
    'AttentionStoreWriter',
    'MultiLabelMetric',
    'ScoreRecord',
    'Scores',
    'StoreResult',
    'attention_histogram',
    'average_precision',
    'class_average_precisions',
    'confusion_scores',
    'evaluate_store',
    'image_histogram',
    'label_at',
    'label_matrix',
    'read_scores',
    'recall_at_precision',
    'sweep_scores',
    'write_scores',
]
