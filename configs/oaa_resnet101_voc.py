# As oaa_resnet50_voc.py, with ResNet-101.
_base_ = ['oaa_resnet50_voc.py']
model = dict(
    backbone=dict(
        depth=101,
        init_cfg=dict(
            checkpoint='https://download.pytorch.org/models/resnet101-63fe2227.pth'
        ),
    )
)
