# OAA with ResNet-50 on the small real subset of VOC, for a GPU.
_base_ = ['oaa_r18.py']
model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(
            checkpoint='../shared/weights/resnet50_imagenet_fp16.pth'
        ),
    ),
    head=dict(in_channels=2048),
)
