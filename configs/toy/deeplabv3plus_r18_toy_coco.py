# The tiny DeepLabV3+ on the embedded data set in COCO's layout; see
# deeplabv3plus_r18_toy.py. The masks are those of tools/make_coco_masks.py.
_base_ = ['deeplabv3plus_r18_toy.py']
train_dataloader = dict(
    dataset=dict(
        pseudo_labels='work_dirs/pseudo_labels/oaa_plus_r18_toy_coco',
        data_prefix=dict(img_path='data/toy_coco/train2017'),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_root='data/toy_coco',
        ann_file='',
        data_prefix=dict(img_path='val2017', seg_map_path='masks/val2017'),
    )
)
test_dataloader = val_dataloader
