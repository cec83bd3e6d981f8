# OAA-drop with VGG16 on PASCAL VOC 2012: as oaa_vgg16_voc.py, but in half of
# the images of an epoch, what their latest attention covers is hidden, with
# the numbers of the authors' PyTorch release.
_base_ = ['oaa_vgg16_voc.py']
custom_hooks = [
    dict(type='oaa_mm.OAADropHook', drop_prob=0.5, drop_threshold=0.6)
]
