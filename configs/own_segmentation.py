# DeepLabV3+ with ResNet-50 on the pseudo-labels of your own classes, see
# docs/segmentation.md. From the environment: OWN_CLASSES, the names of the
# classes, as for own_data.py; OWN_LABELS, the folder of pseudo-labels.
_base_ = ['deeplab/deeplabv3plus_r50-d8_oaa_voc12aug-512x512.py']
classes = ['background', *'{{$OWN_CLASSES:cat,dog}}'.split(',')]  # noqa: SIM905
model = dict(
    decode_head=dict(num_classes=len(classes)),
    auxiliary_head=dict(num_classes=len(classes)),
)
train_dataloader = dict(
    dataset=dict(
        pseudo_labels='{{$OWN_LABELS:work_dirs/pseudo_labels/own_data}}',
        metainfo=dict(classes=classes),
    )
)
# Validation needs images with masks, in a list of their own.
val_dataloader = None
val_cfg = None
val_evaluator = None
test_dataloader = None
test_cfg = None
test_evaluator = None
