# COCO 2017 with the image-level labels of its 80 classes, read from the
# instances JSON (category ids 1 to 90 -> classes 0 to 79); loading and
# batching as for VOC. COCO 2014: coco14_tags.py.
_base_ = ['voc12_tags.py']
coco_train = dict(
    type='oaa_mm.COCOImageLevelDataset',
    data_root='data/coco',
    labels='annotations/instances_train2017.json',
    # One image in a hundred has no annotation, hence no tag to learn from.
    filter_cfg=dict(filter_empty_gt=True),
    data_prefix=dict(img_path='train2017'),
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True, **coco_train, pipeline={{_base_.train_pipeline}}
    )
)
# A test run gives the maps of the model as it is: those of the labelled
# classes of the training images. To compare them with masks as well
# (tools/make_coco_masks.py), set data_prefix.seg_map_path and add
# dict(type='oaa_mm.AttentionMetric').
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **coco_train,
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    )
)
test_evaluator = [
    dict(type='oaa_mm.AttentionStoreWriter', out_file='cam.safetensors'),
]
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='oaa_mm.COCOImageLevelDataset',
        data_root='data/coco',
        labels='annotations/instances_val2017.json',
        filter_cfg=dict(filter_empty_gt=True),
        data_prefix=dict(img_path='val2017'),
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    )
)
