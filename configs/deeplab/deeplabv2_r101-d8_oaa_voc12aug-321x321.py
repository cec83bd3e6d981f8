# DeepLabV2 with ResNet-101, the segmentation network of the authors' PyTorch
# release, starting from ImageNet weights.
#
# Not as the release: its headline numbers start from weights trained on COCO's
# masks, and it trains and tests with the maximum over the scales 0.5, 0.75 and
# 1 (MSC). Say so with a number.
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
        type='ResNet',
        depth=101,
        num_stages=4,
        out_indices=(3,),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 2, 4),
        # The release trains no parameter of batch norm.
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='pytorch',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.pytorch.org/models/resnet101-63fe2227.pth',
        ),
    ),
    decode_head=dict(
        type='oaa_mm.DeepLabV2Head',
        in_channels=2048,
        num_classes=21,
        dilations=(6, 12, 18, 24),
        # 321 = 8 * 40 + 1: the corners of image and map coincide.
        align_corners=True,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)

train_cfg = dict(type='IterBasedTrainLoop', max_iters=20000, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# Relative to the backbone, the head's weights learn 10 times and its biases 20
# times as fast. `bias_lr_mult` does not reach what `custom_keys` matches.
new_bias = dict(lr_mult=20.0, decay_mult=0.0)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=2.5e-4, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(
        custom_keys={
            'decode_head': dict(lr_mult=10.0),
            'decode_head.branches.0.bias': new_bias,
            'decode_head.branches.1.bias': new_bias,
            'decode_head.branches.2.bias': new_bias,
            'decode_head.branches.3.bias': new_bias,
        },
    ),
)
param_scheduler = dict(
    type='PolyLR', power=0.9, eta_min=0, begin=0, end=20000, by_epoch=False
)
