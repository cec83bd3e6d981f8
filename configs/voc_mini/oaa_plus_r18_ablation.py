# Losses of OAA+ compared on the images of oaa_r18_ablation.py; see
# docs/results.md.
#   model.loss_attention.reduction=per_class
#   model.loss_attention.type=oaa_mm.SoftBCEAttentionLoss
_base_ = ['oaa_plus_r18.py']
train_dataloader = dict(dataset=dict(indices=400))
test_dataloader = dict(dataset=dict(indices=400))
train_cfg = dict(max_epochs=6, val_interval=6)
param_scheduler = dict(end=6)
