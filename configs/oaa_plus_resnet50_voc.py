# OAA+ with ResNet-50; see oaa_plus_vgg16_voc.py.
_base_ = ['oaa_resnet50_voc.py']
attention_store = 'work_dirs/oaa_resnet50_voc/attention_epoch_15.safetensors'
model = dict(
    type='oaa_mm.IntegralAttentionModel',
    # The article's convolutions, which VGG16's classifier has as well: with
    # the class-aware layer alone the maps peak like a CAM (docs/results.md).
    head=dict(num_convs=3, channels=512),
    loss_attention=dict(type='oaa_mm.HybridAttentionLoss', loss_weight=5.0),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='oaa_mm.LoadAttentionMaps', store=attention_store),
            *_base_.train_pipeline,
        ]
    )
)
test_evaluator = [
    dict(type='oaa_mm.AttentionMetric'),
    dict(type='oaa_mm.AttentionStoreWriter', out_file='oaa_plus.safetensors'),
]
# Nothing is accumulated.
custom_hooks = [dict(type='oaa_mm.AgreementHook')]
