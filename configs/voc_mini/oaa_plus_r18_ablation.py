# Losses of OAA+ compared on the targets of oaa_r18_ablation.py, by
#   model.loss_attention.reduction=per_class
#   model.loss_attention.type=oaa_mm.SoftBCEAttentionLoss
# Minutes each, with the backbone frozen: model.backbone.frozen_stages=4
# See docs/results.md.
_base_ = ['oaa_r18_ablation.py']
model = dict(
    type='oaa_mm.IntegralAttentionModel',
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
            dict(
                type='oaa_mm.LoadAttentionMaps',
                store='work_dirs/ablation/oaa/default.safetensors',
            ),
            *_base_.train_pipeline,
        ]
    )
)
test_evaluator = [
    dict(type='oaa_mm.AttentionMetric'),
    dict(type='oaa_mm.AttentionStoreWriter', out_file='oaa_plus.safetensors'),
]
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=5e-3)}),
)
# Nothing is accumulated.
custom_hooks = [dict(type='oaa_mm.AgreementHook')]
