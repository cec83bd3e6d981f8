# Fusion, acceptance and start epoch of OAA compared in one training on half of
# the training images, small; see docs/results.md.
_base_ = ['oaa_r18.py']
train_dataloader = dict(dataset=dict(indices=400))
test_dataloader = dict(dataset=dict(indices=400))
train_cfg = dict(max_epochs=6, val_interval=6)
param_scheduler = dict(end=6)
custom_hooks = [
    dict(type='oaa_mm.OAAHook'),
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
