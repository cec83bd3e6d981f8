# OAA with ResNet-18 on a small real subset of VOC (800 images, six classes).
_base_ = [
    '../_base_/models/cam_r18.py',
    '../_base_/datasets/voc12_tags.py',
    '../_base_/default_runtime.py',
]
data_root = '../shared/data/voc_mini'
model = dict(
    backbone=dict(
        init_cfg=dict(
            checkpoint='../shared/weights/resnet18_imagenet_fp16.pth'
        )
    ),
    # From zero, the head follows the backbone's features at once.
    head=dict(init_cfg=dict(type='Constant', layer='Conv2d', val=0)),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeShortestEdge', scale=256, max_size=1024),
    dict(type='oaa_mm.ColorJitter'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeShortestEdge', scale=256, max_size=1024),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    # A small set has many sizes with one or two images only. A part of these
    # 800 images is trained on for as many iterations as all of them.
    batch_sampler=dict(merge_leftovers=True, min_iters=100),
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline)
)
test_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline)
)

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=10, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# Small steps for the backbone, large ones for the head: its weights come
# without batch-norm statistics and do not survive larger ones.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-2, weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=5e-4)}),
)
param_scheduler = dict(
    type='PolyLR',
    power=0.9,
    eta_min=0,
    begin=0,
    end=10,
    by_epoch=True,
    convert_to_iter_based=True,
)
custom_hooks = [dict(type='oaa_mm.OAAHook', keep_epoch_maps=True)]
