# COCO 2017 with pseudo-labels for training: 80 classes and background, by
# mmseg's own pipelines for VOC (crop 512, scales 0.5 to 2).
# Two entries say what is trained on:
#   train_dataloader.dataset.data_prefix.seg_map_path=LABELS
#   train_dataloader.dataset.ann_file=LIST
# Both, and img_path, are paths from the working directory: data_root is unset.
# Validation needs masks of the same coding, 0 background and class c as
# c + 1, as PNGs; COCO itself has polygons.
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
        type='BaseSegDataset',
        metainfo=dict(classes=classes),
        ann_file='work_dirs/pseudo_labels/coco/train.txt',
        data_prefix=dict(
            img_path='data/coco/train2017',
            seg_map_path='work_dirs/pseudo_labels/coco/labels',
        ),
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
