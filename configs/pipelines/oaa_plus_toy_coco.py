# The whole method on the embedded data set in COCO's layout, in a few minutes
# on two CPU cores:
#   python tools/make_toy_voc.py data/toy_coco --coco
#   python tools/make_coco_masks.py \
#       data/toy_coco/annotations/instances_train2017.json   # and ..._val2017
_base_ = ['oaa_plus_toy.py']
data = 'data/toy_coco'
train_tags = f'{data}/annotations/instances_train2017.json'
train_masks = f'{data}/masks/train2017'
val_list = f'{data}/masks/val2017/manifest.json'
oaa_config = 'oaa_mm::toy/oaa_r18_toy_coco.py'
oaa_plus_config = 'oaa_mm::toy/oaa_plus_r18_toy_coco.py'
segmentation_config = 'oaa_mm::toy/deeplabv3plus_r18_toy_coco.py'
label_options = '--background power'
