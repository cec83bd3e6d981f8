# OAA with VGG16 on COCO, by the recipe of oaa_vgg16_voc.py. COCO has ten times
# VOC's images: 5 epochs here are as many iterations as 50 there.
_base_ = [
    '_base_/models/cam_vgg16.py',
    '_base_/datasets/coco_tags.py',
    '_base_/schedules/oaa_pytorch_release.py',
    '_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=80))
train_cfg = dict(max_epochs=5)
param_scheduler = dict(milestones=[4])
