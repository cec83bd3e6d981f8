# OAA+ with VGG16 on COCO; see oaa_plus_vgg16_voc.py.
_base_ = ['oaa_vgg16_coco.py']
attention_store = 'work_dirs/oaa_vgg16_coco/attention_epoch_5.safetensors'
model = dict(
    type='oaa_mm.IntegralAttentionModel',
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
    dict(type='oaa_mm.AttentionStoreWriter', out_file='oaa_plus.safetensors'),
]
# Nothing is accumulated.
custom_hooks = [dict(type='oaa_mm.AgreementHook')]
