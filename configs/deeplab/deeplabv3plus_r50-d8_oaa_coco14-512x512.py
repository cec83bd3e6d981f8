# As deeplabv3plus_r50-d8_oaa_coco-512x512.py, on COCO 2014.
_base_ = ['deeplabv3plus_r50-d8_oaa_coco-512x512.py']
train_dataloader = dict(
    dataset=dict(
        pseudo_labels='work_dirs/pseudo_labels/coco14',
        data_prefix=dict(img_path='data/coco/train2014'),
    )
)
val_dataloader = dict(
    dataset=dict(
        data_prefix=dict(img_path='val2014', seg_map_path='masks/val2014')
    )
)
test_dataloader = val_dataloader
