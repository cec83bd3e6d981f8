# COCO 2014, which most papers use: as COCO 2017, with 82,783 images for
# training and 40,504 for validation.
_base_ = ['coco_tags.py']
train = dict(
    labels='annotations/instances_train2014.json',
    data_prefix=dict(img_path='train2014'),
)
val = dict(
    labels='annotations/instances_val2014.json',
    data_prefix=dict(img_path='val2014'),
)
train_dataloader = dict(dataset=train)
test_dataloader = dict(dataset=train)
val_dataloader = dict(dataset=val)
