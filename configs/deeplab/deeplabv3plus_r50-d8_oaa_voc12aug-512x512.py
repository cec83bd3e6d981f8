# mmseg's own DeepLabV3+ config, trained on pseudo-labels. The label folder and
# the list of its images are the two entries to override:
#   train_dataloader.dataset.data_prefix.seg_map_path=LABELS
#   train_dataloader.dataset.ann_file=LIST
# Both, and img_path, are paths from the working directory: data_root is unset.
_base_ = [
    '../_base_/run_hooks.py',
    '../_base_/import_oaa_mm.py',
    'mmseg::deeplabv3plus/deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py',
]
default_hooks = dict(
    checkpoint=dict(type='oaa_mm.AtomicCheckpointHook'),
    **_base_.run_hooks,
)
# The base joins `train` and `aug`, with two folders of masks; here one list
# and one folder hold both.
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PascalVOCDataset',
        ann_file='work_dirs/pseudo_labels/voc12/train_aug.txt',
        data_prefix=dict(
            img_path='data/VOCdevkit/VOC2012/JPEGImages',
            seg_map_path='work_dirs/pseudo_labels/voc12/labels',
        ),
        pipeline={{_base_.train_pipeline}},
    )
)
# Pixels of 255 give no loss; they should not count in its mean either.
model = dict(
    decode_head=dict(loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(loss_decode=dict(avg_non_ignore=True)),
)
