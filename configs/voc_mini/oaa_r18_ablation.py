# Fusion, acceptance, normalisation and start epoch of OAA compared in one
# training, on half of the training images and small; see docs/results.md.
_base_ = ['oaa_r18.py']
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeShortestEdge', scale=192, max_size=1024),
    dict(type='oaa_mm.ColorJitter'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeShortestEdge', scale=192, max_size=1024),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
train_dataloader = dict(
    batch_sampler=dict(min_iters=1),  # 50, as these images give
    dataset=dict(indices=400, pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(indices=400, pipeline=test_pipeline))
train_cfg = dict(max_epochs=5, val_interval=5)
param_scheduler = dict(end=5)
custom_hooks = [
    dict(
        type='oaa_mm.OAAAblationHook',
        variants=dict(
            default=dict(),
            mean=dict(fusion='mean'),
            threshold=dict(acceptance='threshold', threshold=0.1),
            all_targets=dict(acceptance='all_targets'),
            accept_all=dict(acceptance='none'),
            start_0=dict(start_epoch=0),
            start_2=dict(start_epoch=2),
            start_3=dict(start_epoch=3),
            minmax=dict(norm='minmax'),
        ),
    ),
]
