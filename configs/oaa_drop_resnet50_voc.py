# OAA-drop with ResNet-50; see oaa_drop_vgg16_voc.py.
_base_ = ['oaa_resnet50_voc.py']
custom_hooks = [
    dict(type='oaa_mm.OAADropHook', drop_prob=0.5, drop_threshold=0.6)
]
