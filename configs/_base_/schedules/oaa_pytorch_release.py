# The recipe of the authors' PyTorch release: 15 epochs of SGD with Nesterov
# momentum, divided by 10 at epoch 10. Relative to the backbone's weights:
# biases x2, new layers x10, their biases x20. Batch 5 is the release's batch
# 1 x 5 accumulated steps.
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=15, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
# `bias_lr_mult` does not reach parameters that `custom_keys` matches.
new_bias = dict(lr_mult=20.0)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4
    ),
    paramwise_cfg=dict(
        bias_lr_mult=2.0,
        custom_keys={
            'head': dict(lr_mult=10.0),
            'head.convs.0.bias': new_bias,
            'head.convs.2.bias': new_bias,
            'head.convs.4.bias': new_bias,
            'head.classifier.bias': new_bias,
        },
    ),
)
param_scheduler = dict(
    type='MultiStepLR', by_epoch=True, milestones=[10], gamma=0.1
)
custom_hooks = [dict(type='oaa_mm.OAAHook')]
