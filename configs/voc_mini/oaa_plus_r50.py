# OAA+ with ResNet-50 on the small real subset of VOC, for a GPU; oaa_r50.py
# first.
_base_ = ['oaa_plus_r18.py']
attention_store = 'work_dirs/oaa_r50/attention_epoch_10.safetensors'
model = dict(
    backbone=dict(
        depth=50,
        init_cfg=dict(
            checkpoint='../shared/weights/resnet50_imagenet_fp16.pth'
        ),
    ),
    head=dict(in_channels=2048),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='oaa_mm.LoadAttentionMaps', store=attention_store),
            *_base_.train_pipeline,
        ]
    )
)
