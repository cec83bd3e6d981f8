# PASCAL VOC 2012 with image-level labels. `train_cls.txt` and `val_cls.txt`
# are lists in the authors' format: `name c1 c2 ...`, classes from 0. Where they
# are absent, as in the archive that is downloaded, the ids are those of
# train_aug, which come with the package, and of val.txt, and the tags are read
# from `Annotations`. Other sources: labels='cls_labels.npy', a CSV, ...
data_root = 'data/VOCdevkit/VOC2012'
dataset_type = 'oaa_mm.VOCImageLevelDataset'
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
train_dataloader = dict(
    batch_size=5,
    num_workers=2,
    # Without it mmengine gives every epoch the same random augmentations.
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    # Nothing is padded, so no convolution sees padding at an image's border.
    # A set that is so small that it has fewer than 100 batches is read several
    # times in an epoch: the recipes are stated in epochs of many iterations.
    batch_sampler=dict(type='oaa_mm.EqualSizeBatchSampler', min_iters=100),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train_cls.txt',
        data_prefix=dict(img_path='JPEGImages'),
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
        ann_file='ImageSets/Segmentation/val_cls.txt',
        data_prefix=dict(img_path='JPEGImages'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type='oaa_mm.MultiLabelMetric')

# A test run gives the maps of the model as it is: those of the labelled
# classes of the training images, written to a store and compared with masks,
# without SegmentationClassAug those of SegmentationClass.
test_dataloader = dict(
    batch_size=5,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train_cls.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'
        ),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_evaluator = [
    dict(type='oaa_mm.AttentionMetric'),
    dict(type='oaa_mm.AttentionStoreWriter', out_file='cam.safetensors'),
]
