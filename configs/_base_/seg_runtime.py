# Iteration-based runs: segmentation networks are trained by iterations.
_base_ = ['default_runtime.py']
log_processor = dict(by_epoch=False)
default_hooks = dict(
    logger=dict(log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=2000),
    visualization=dict(type='SegVisualizationHook'),
)
