# OAA-drop with ResNet-101; see oaa_drop_vgg16_voc.py.
_base_ = ['oaa_resnet101_voc.py']
custom_hooks = [
    dict(type='oaa_mm.OAADropHook', drop_prob=0.5, drop_threshold=0.6)
]
