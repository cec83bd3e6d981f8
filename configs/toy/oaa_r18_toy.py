# OAA on the embedded data set (tools/make_toy_voc.py data/toy), trained from
# scratch in a few minutes on two CPU cores.
_base_ = [
    '../_base_/models/cam_r18.py',
    '../_base_/datasets/voc12_tags.py',
    '../_base_/default_runtime.py',
]
data_root = 'data/toy'
dataset_type = 'oaa_mm.ImageLevelDataset'
metainfo = dict(classes=('owl', 'fox', 'fish', 'cart', 'tractor', 'house'))
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=18,
        base_channels=32,
        num_stages=2,
        out_indices=(1,),
        strides=(1, 2),
        dilations=(1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
    ),
    head=dict(
        in_channels=64,
        num_classes=6,
        num_convs=1,
        channels=64,
        init_cfg=dict(type='Kaiming', layer='Conv2d'),
    ),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='oaa_mm.ColorJitter', hue=0.02),
    dict(type='RandomFlip', prob=0.5),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
dataset = dict(
    type=dataset_type,
    data_root=data_root,
    metainfo=metainfo,
    pipeline=test_pipeline,
)
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    # An epoch is the 300 images that this set always has.
    batch_sampler=dict(min_iters=1),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        metainfo=metainfo,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(num_workers=1, dataset=dataset)
test_dataloader = dict(num_workers=1, dataset=dataset)

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=20, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=4e-3, weight_decay=1e-2),
)
param_scheduler = dict(
    type='PolyLR',
    power=0.9,
    eta_min=0,
    begin=0,
    end=20,
    by_epoch=True,
    convert_to_iter_based=True,
)
# From scratch the classifier needs some epochs before its maps mean much.
custom_hooks = [
    dict(type='oaa_mm.OAAHook', start_epoch=10, keep_epoch_maps=True)
]
