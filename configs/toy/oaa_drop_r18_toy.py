# OAA-drop on the embedded data set; see oaa_r18_toy.py.
_base_ = ['oaa_r18_toy.py']
custom_hooks = [
    dict(
        type='oaa_mm.OAADropHook',
        drop_prob=0.5,
        drop_threshold=0.6,
        start_epoch=10,
        keep_epoch_maps=True,
    )
]
