# OAA+ with ResNet-18 on the small real subset of VOC; oaa_r18.py first.
# Another store: --cfg-options train_dataloader.dataset.pipeline.0.store=PATH
_base_ = ['oaa_r18.py']
attention_store = 'work_dirs/oaa_r18/attention_epoch_10.safetensors'
model = dict(
    type='oaa_mm.IntegralAttentionModel',
    loss_attention=dict(type='oaa_mm.HybridAttentionLoss'),
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
custom_hooks = []  # nothing is accumulated
