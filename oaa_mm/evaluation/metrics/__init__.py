"""Metrics of mmengine's validation and test loops."""

from .attention_metric import AttentionMetric
from .multilabel_metric import MultiLabelMetric
from .store_writer import AttentionStoreWriter

__all__ = ['AttentionMetric', 'AttentionStoreWriter', 'MultiLabelMetric']
