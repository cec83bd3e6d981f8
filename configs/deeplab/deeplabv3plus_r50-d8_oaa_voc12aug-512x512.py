# mmseg's own DeepLabV3+ config, trained on pseudo-labels.
# The labels are one entry, a folder of tools/make_pseudo_labels.py:
#   train_dataloader.dataset.pseudo_labels=FOLDER
# Labels of another kind are two, data_prefix.seg_map_path=LABELS and
# ann_file=LIST, with the images in img_path; all are paths from the working
# directory, as data_root is unset.
_base_ = [
    '../_base_/run_hooks.py',
    '../_base_/import_oaa_mm.py',
    'mmseg::deeplabv3plus/deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py',
]
default_hooks = dict(
    checkpoint=dict(type='oaa_mm.AtomicCheckpointHook'),
    **_base_.run_hooks,
)
classes = (
    'background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus',
    'car', 'cat', 'chair', 'cow', 'diningtable', 'dog', 'horse', 'motorbike',
    'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor',
)  # fmt: skip
# The base joins `train` and `aug`, with two folders of masks; here one folder
# holds both.
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='oaa_mm.PseudoLabelDataset',
        pseudo_labels='work_dirs/pseudo_labels/voc12',
        data_prefix=dict(img_path='data/VOCdevkit/VOC2012/JPEGImages'),
        metainfo=dict(classes=classes),
        pipeline={{_base_.train_pipeline}},
    )
)
# Pixels of 255 give no loss; they should not count in its mean either.
model = dict(
    decode_head=dict(loss_decode=dict(avg_non_ignore=True)),
    auxiliary_head=dict(loss_decode=dict(avg_non_ignore=True)),
)
