# COCO 2017 with the image-level labels of its 80 classes, read from the
# instances JSON (category ids 1 to 90 -> classes 0 to 79). COCO 2014, which many
# papers use, has the same layout: train2014/, instances_train2014.json, ...
data_root = 'data/coco'
dataset_type = 'oaa_mm.COCOImageLevelDataset'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeShortestEdge', scale=224, max_size=2048),
    dict(type='oaa_mm.ColorJitter'),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeShortestEdge', scale=224, max_size=2048),
    dict(type='oaa_mm.PackImageLevelInputs'),
]
# One image in a hundred has no annotation, hence no tag to learn from.
annotated = dict(filter_empty_gt=True)
train_dataloader = dict(
    batch_size=5,
    num_workers=2,
    # Without it mmengine gives every epoch the same random augmentations.
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # Nothing is padded, so no convolution sees padding at an image's border.
    batch_sampler=dict(type='oaa_mm.EqualSizeBatchSampler'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        labels='annotations/instances_train2017.json',
        filter_cfg=annotated,
        data_prefix=dict(img_path='train2017'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=5,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        labels='annotations/instances_val2017.json',
        filter_cfg=annotated,
        data_prefix=dict(img_path='val2017'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='oaa_mm.MultiLabelMetric')

# A test run gives the maps of the model as it is: those of the labelled
# classes of the training images. To compare them with masks as well, set
# data_prefix.seg_map_path and add dict(type='oaa_mm.AttentionMetric').
test_dataloader = dict(
    batch_size=5,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        labels='annotations/instances_train2017.json',
        filter_cfg=annotated,
        data_prefix=dict(img_path='train2017'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_evaluator = [
    dict(type='oaa_mm.AttentionStoreWriter', out_file='cam.safetensors'),
]
