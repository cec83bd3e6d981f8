# A small DeepLabV3+ on the small real subset of VOC, for half an hour on two
# slow CPU cores, or less of the schedule by
#   train_cfg.max_iters=300 train_cfg.val_interval=300 param_scheduler.end=300
# What it is trained on, from the working directory:
#   train_dataloader.dataset.pseudo_labels=FOLDER
# The masks of the data set give the upper bound:
#   train_dataloader.dataset.data_prefix.seg_map_path=SegmentationClassAug
#   train_dataloader.dataset.ann_file=LIST
_base_ = [
    '../_base_/datasets/voc12_pseudo_labels.py',
    '../_base_/seg_runtime.py',
]
data_root = '../shared/data/voc_mini'
crop_size = (192, 192)
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
        num_stages=4,
        out_indices=(0, 3),
        frozen_stages=2,
        # Output stride 32 and frozen first stages: what two cores can do.
        strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        norm_cfg=norm_cfg,
        norm_eval=True,  # these weights come without batch-norm statistics
        style='pytorch',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='../shared/weights/resnet18_imagenet_fp16.pth',
        ),
    ),
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=512,
        in_index=1,
        channels=128,
        dilations=(1, 2, 4, 6),
        c1_in_channels=64,
        c1_channels=24,
        dropout_ratio=0.1,
        num_classes=21,
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
    dict(
        type='RandomResize',
        scale=(320, 320),
        ratio_range=(0.6, 1.5),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
# Whole images, at the size in the middle of those seen in training; IoU is
# counted at their own size.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(320, 320), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        pseudo_labels='work_dirs/pseudo_labels/voc_mini',
        data_prefix=dict(img_path=f'{data_root}/JPEGImages'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(seg_map_path='SegmentationClassAug'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

train_cfg = dict(type='IterBasedTrainLoop', max_iters=500, val_interval=500)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# Small steps for the backbone, whose weights do not survive larger ones.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-2),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=1e-2)}),
)
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0, begin=0, end=500, by_epoch=False
)
default_hooks = dict(
    checkpoint=dict(interval=500),
    # Averaged weights differ less from seed to seed.
    ema=dict(type='EMAHook', momentum=0.02, update_buffers=True),
)
