# `../../_base_/default_runtime.py` in mmengine's new style: types are imported.
from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    LoggerHook,
    ParamSchedulerHook,
)
from mmengine.visualization import LocalVisBackend
from mmseg.visualization import SegLocalVisualizer

from oaa_mm.runs import (
    AtomicCheckpointHook,
    EpochSeedHook,
    InvalidLossHook,
    LockHook,
    ManifestHook,
    ResumeHook,
)

default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=False,  # sizes vary from batch to batch
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type=LocalVisBackend)]
visualizer = dict(
    type=SegLocalVisualizer, vis_backends=vis_backends, name='visualizer'
)
log_processor = dict(by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)
default_hooks = dict(
    timer=dict(type=IterTimerHook),
    # ignore_last=False: the last line of an epoch shows what OAA did in it.
    logger=dict(
        type=LoggerHook,
        interval=50,
        ignore_last=False,
        log_metric_by_epoch=True,
    ),
    param_scheduler=dict(type=ParamSchedulerHook),
    checkpoint=dict(
        type=AtomicCheckpointHook, by_epoch=True, interval=1, max_keep_ckpts=2
    ),
    sampler_seed=dict(type=DistSamplerSeedHook),
    epoch_seed=dict(type=EpochSeedHook),
    lock=dict(type=LockHook),
    resume=dict(type=ResumeHook),
    invalid_loss=dict(type=InvalidLossHook),
    manifest=dict(type=ManifestHook),
)
