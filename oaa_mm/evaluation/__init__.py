"""How good are attention maps, labels and image-level scores?

`counts` (pixels to histograms), `scores` (histograms to scores) and `ranking`
are plain numpy; `compare` reads stores, labels and masks; `score_file` writes
and reads scores as JSON; `tables` and `curves` show them; `metrics` brings
them into mmengine's loops.
"""

from .compare import evaluate_labels, evaluate_store
from .counts import image_histogram, label_at, label_matrix
from .metrics import AttentionMetric, AttentionStoreWriter, MultiLabelMetric
from .score_file import ScoreRecord, read_scores, write_scores
from .scores import Scores, confusion_scores, sweep_scores

__all__ = [
    'AttentionMetric',
    'AttentionStoreWriter',
    'MultiLabelMetric',
    'ScoreRecord',
    'Scores',
    'confusion_scores',
    'evaluate_labels',
    'evaluate_store',
    'image_histogram',
    'label_at',
    'label_matrix',
    'read_scores',
    'sweep_scores',
    'write_scores',
]
