# mmseg's DeepLabV3+ and 80k schedule on COCO's 80 classes and background,
# trained on pseudo-labels: see _base_/datasets/coco_pseudo_labels.py.
_base_ = [
    '../_base_/run_hooks.py',
    '../_base_/datasets/coco_pseudo_labels.py',  # imports oaa_mm
    'mmseg::_base_/models/deeplabv3plus_r50-d8.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_80k.py',
]
default_hooks = dict(
    checkpoint=dict(type='oaa_mm.AtomicCheckpointHook'),
    **_base_.run_hooks,
)
# Pixels of 255 give no loss; they should not count in its mean either.
model = dict(
    data_preprocessor=dict(size=(512, 512)),
    decode_head=dict(num_classes=81, loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(num_classes=81, loss_decode=dict(avg_non_ignore=True)),
)
