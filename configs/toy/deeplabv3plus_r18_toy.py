# A tiny DeepLabV3+ on the embedded data set (tools/make_toy_voc.py data/toy),
# from scratch in about one minute on two CPU cores. Its labels:
#   train_dataloader.dataset.pseudo_labels=FOLDER
_base_ = [
    '../_base_/datasets/voc12_pseudo_labels.py',
    '../_base_/seg_runtime.py',
]
data_root = 'data/toy'
dataset_type = 'BaseSegDataset'
# The colours of mask values 0 to 6 in VOC's palette, in which masks are drawn.
metainfo = dict(
    classes=('background', 'owl', 'fox', 'fish', 'cart', 'tractor', 'house'),
    palette=[
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
        [0, 0, 128],
        [128, 0, 128],
        [0, 128, 128],
    ],
)
crop_size = (128, 128)
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=crop_size,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=32,
        num_stages=2,
        out_indices=(0, 1),
        strides=(1, 2),
        dilations=(1, 1),
        norm_cfg=norm_cfg,
        style='pytorch',
    ),
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=64,
        in_index=1,
        channels=64,
        dilations=(1, 3, 6),
        c1_in_channels=32,
        c1_channels=16,
        dropout_ratio=0.1,
        num_classes=7,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        metainfo=metainfo,
        pseudo_labels='work_dirs/pseudo_labels/toy',
        data_prefix=dict(img_path=f'{data_root}/JPEGImages'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        type=dataset_type,
        metainfo=metainfo,
        data_root=data_root,
        data_prefix=dict(seg_map_path='SegmentationClassAug'),
    ),
)
test_dataloader = val_dataloader

train_cfg = dict(type='IterBasedTrainLoop', max_iters=500, val_interval=500)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=5e-3, weight_decay=1e-2),
)
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0, begin=0, end=500, by_epoch=False
)
default_hooks = dict(checkpoint=dict(interval=250))
