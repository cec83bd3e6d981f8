# OAA+ with ResNet-18 on the small real subset of VOC; oaa_r18.py first.
# Another store: --cfg-options train_dataloader.dataset.pipeline.0.store=PATH
_base_ = ['oaa_r18.py']
attention_store = 'work_dirs/oaa_r18/attention_epoch_10.safetensors'
model = dict(
    type='oaa_mm.IntegralAttentionModel',
    # Three convolutions as in the article: with the class-aware layer alone,
    # the maps peak like those of a classifier (docs/results.md).
    head=dict(
        num_convs=3,
        channels=256,
        init_cfg=dict(_delete_=True, type='Kaiming', layer='Conv2d'),
    ),
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
train_cfg = dict(max_epochs=6)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=5e-3)}),
)
param_scheduler = dict(end=6)
# Nothing is accumulated.
custom_hooks = [dict(type='oaa_mm.AgreementHook')]
