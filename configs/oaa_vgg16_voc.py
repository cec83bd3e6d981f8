# OAA with VGG16 on PASCAL VOC 2012: the recipe of the authors' PyTorch
# release.
_base_ = [
    '_base_/models/cam_vgg16.py',
    '_base_/datasets/voc12_tags.py',
    '_base_/schedules/oaa_pytorch_release.py',
    '_base_/default_runtime.py',
]
