# DeepLab-LargeFOV with VGG16, the segmentation network of the authors' Caffe
# release, starting from ImageNet weights.
#
# Not as the release: its fc6 and fc7 start from VGG16's fully connected layers,
# here all of the head is new and learns 10 times as fast as the backbone.
_base_ = [
    '../_base_/datasets/voc12_pseudo_labels.py',
    '../_base_/seg_runtime.py',
]
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(321, 321),
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='oaa_mm.VGG16',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16'),
    ),
    decode_head=dict(
        type='oaa_mm.LargeFOVHead',
        in_channels=512,
        channels=1024,
        num_classes=21,
        dilation=12,
        dropout_ratio=0.5,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    # The long side of VOC's images is 500 pixels: scaled by 0.7 to 1.3.
    dict(
        type='RandomResize',
        scale=(500, 500),
        ratio_range=(0.7, 1.3),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=(321, 321)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(type='IterBasedTrainLoop', max_iters=16000, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# Biases learn twice as fast, without decay. `bias_lr_mult` and its like do not
# reach what `custom_keys` matches.
new_bias = dict(lr_mult=20.0, decay_mult=0.0)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=1e-3, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        bias_lr_mult=2.0,
        bias_decay_mult=0.0,
        custom_keys={
            'decode_head': dict(lr_mult=10.0),
            'decode_head.fc6.bias': new_bias,
            'decode_head.fc7.bias': new_bias,
            'decode_head.conv_seg.bias': new_bias,
        },
    ),
)
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0, begin=0, end=16000, by_epoch=False
)
