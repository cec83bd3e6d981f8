# OAA with VGG16 on COCO 2014, by the recipe of oaa_vgg16_coco.py. Its training
# set is smaller by 30 %: 7 epochs are as many iterations as 5 there.
_base_ = [
    '_base_/models/cam_vgg16.py',
    '_base_/datasets/coco14_tags.py',
    '_base_/schedules/oaa_pytorch_release.py',
    '_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=80))
train_cfg = dict(max_epochs=7)
param_scheduler = dict(milestones=[5])
