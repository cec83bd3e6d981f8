# PASCAL VOC 2012 with pseudo-labels for training, as the papers train DeepLab:
# crops of 321 pixels from images scaled at random, whole images for testing.
# Two entries say what is trained on:
#   train_dataloader.dataset.data_prefix.seg_map_path=LABELS
#   train_dataloader.dataset.ann_file=LIST
# Both, and img_path, are paths from the working directory: data_root is unset.
data_root = 'data/VOCdevkit/VOC2012'
crop_size = (321, 321)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    # The long side of VOC's images is 500 pixels, so this scales them by
    # 0.5 to 1.5.
    dict(
        type='RandomResize',
        scale=(500, 500),
        ratio_range=(0.5, 1.5),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=10,
    num_workers=4,
    # Without it mmengine gives every epoch the same random augmentations.
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='PascalVOCDataset',
        ann_file='work_dirs/pseudo_labels/voc12/train_aug.txt',
        data_prefix=dict(
            img_path=f'{data_root}/JPEGImages',
            seg_map_path='work_dirs/pseudo_labels/voc12/labels',
        ),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PascalVOCDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/val.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClass'
        ),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
