# OAA+ on the embedded data set: the network of oaa_r18_toy.py learns, from
# scratch, the attention that the classifier has accumulated.
# Another store: --cfg-options train_dataloader.dataset.pipeline.0.store=PATH
_base_ = ['oaa_r18_toy.py']
attention_store = 'work_dirs/oaa_r18_toy/attention_epoch_20.safetensors'
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
train_cfg = dict(max_epochs=12, val_interval=6)
param_scheduler = dict(end=12)
test_evaluator = [
    dict(type='oaa_mm.AttentionMetric'),
    dict(type='oaa_mm.AttentionStoreWriter', out_file='oaa_plus.safetensors'),
]
# Nothing is accumulated.
custom_hooks = [dict(type='oaa_mm.AgreementHook')]
