# COCO 2017 with pseudo-labels for training: 80 classes and background, by
# mmseg's own pipelines for VOC (crop 512, scales 0.5 to 2).
# The labels are one entry, a folder of tools/make_pseudo_labels.py:
#   train_dataloader.dataset.pseudo_labels=FOLDER
# Labels of another kind are two, data_prefix.seg_map_path=LABELS and
# ann_file=LIST, with the images in img_path; all are paths from the working
# directory, as data_root is unset.
# Validation needs masks, which tools/make_coco_masks.py paints of COCO's
# polygons.
_base_ = [
    '../import_oaa_mm.py',
    'mmseg::_base_/datasets/pascal_voc12.py',
]
classes = (
    'background', 'person', 'bicycle', 'car', 'motorcycle', 'airplane',
    'bus', 'train', 'truck', 'boat', 'traffic light', 'fire hydrant',
    'stop sign', 'parking meter', 'bench', 'bird', 'cat', 'dog', 'horse',
    'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe', 'backpack',
    'umbrella', 'handbag', 'tie', 'suitcase', 'frisbee', 'skis',
    'snowboard', 'sports ball', 'kite', 'baseball bat', 'baseball glove',
    'skateboard', 'surfboard', 'tennis racket', 'bottle', 'wine glass',
    'cup', 'fork', 'knife', 'spoon', 'bowl', 'banana', 'apple', 'sandwich',
    'orange', 'broccoli', 'carrot', 'hot dog', 'pizza', 'donut', 'cake',
    'chair', 'couch', 'potted plant', 'bed', 'dining table', 'toilet',
    'tv', 'laptop', 'mouse', 'remote', 'keyboard', 'cell phone',
    'microwave', 'oven', 'toaster', 'sink', 'refrigerator', 'book',
    'clock', 'vase', 'scissors', 'teddy bear', 'hair drier', 'toothbrush',
)  # fmt: skip
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='oaa_mm.PseudoLabelDataset',
        pseudo_labels='work_dirs/pseudo_labels/coco',
        data_prefix=dict(img_path='data/coco/train2017'),
        metainfo=dict(classes=classes),
        pipeline={{_base_.train_pipeline}},
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='BaseSegDataset',
        metainfo=dict(classes=classes),
        data_root='data/coco',
        data_prefix=dict(img_path='val2017', seg_map_path='masks/val2017'),
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    )
)
test_dataloader = val_dataloader
