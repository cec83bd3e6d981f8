# The network of deeplabv3plus_r18_toy.py on the masks of the embedded data
# set, with an auxiliary CAM head whose attention OAAHook accumulates. The tags
# of an image are the classes in its mask.
_base_ = ['deeplabv3plus_r18_toy.py']
model = dict(
    auxiliary_head=dict(
        type='oaa_mm.CAMHead',
        in_channels=64,
        num_classes=6,  # without the background
        num_convs=1,
        channels=64,
        loss_weight=1.0,
        init_cfg=dict(type='Kaiming', layer='Conv2d'),
    )
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=_base_.crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=_base_.dataset_type,
        data_root=_base_.data_root,
        ann_file='ImageSets/Segmentation/train_aug.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'
        ),
        metainfo=_base_.metainfo,
        pipeline=[
            dict(type='oaa_mm.RecordingCompose', transforms=train_pipeline)
        ],
    )
)
# 38 iterations of 8 images are one pass through the 300 images.
custom_hooks = [
    dict(
        type='oaa_mm.OAAHook',
        epoch_length=38,
        start_epoch=4,
        keep_epoch_maps=True,
    )
]
train_cfg = dict(max_iters=456, val_interval=228)
param_scheduler = dict(end=456)
default_hooks = dict(checkpoint=dict(interval=228))
