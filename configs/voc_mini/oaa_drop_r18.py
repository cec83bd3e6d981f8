# OAA-drop with ResNet-18 on the small real subset of VOC.
_base_ = ['oaa_r18.py']
custom_hooks = [
    dict(
        type='oaa_mm.OAADropHook',
        drop_prob=0.5,
        drop_threshold=0.6,
        keep_epoch_maps=True,
    )
]
