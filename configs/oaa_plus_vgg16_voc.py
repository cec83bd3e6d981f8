# OAA+ with VGG16 on PASCAL VOC 2012: the network of oaa_vgg16_voc.py, again
# from ImageNet weights, learns the attention that was accumulated.
# Another store: --cfg-options train_dataloader.dataset.pipeline.0.store=PATH
# The maps of the training images, averaged over scales and flips:
#   python tools/test.py configs/oaa_plus_vgg16_voc.py CHECKPOINT \
#       --cfg-options model.test_cfg.scales=0.75,1.0,1.25 \
#       model.test_cfg.flip=True
_base_ = ['oaa_vgg16_voc.py']
attention_store = 'work_dirs/oaa_vgg16_voc/attention_epoch_15.safetensors'
model = dict(
    type='oaa_mm.IntegralAttentionModel',
    # The PyTorch release divides the classification loss by its 5 accumulated
    # steps, this one not: 5 times the effective learning rate. 1.0 gives the
    # classifier's; try it if the loss does not fall in the first epochs.
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
