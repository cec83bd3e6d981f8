# ResNet-50 with output stride 16 and a plain class-aware 1x1 layer.
_base_ = ['cam_r18.py']
model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(
            checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth'
        ),
    ),
    head=dict(in_channels=2048),
)
