# The whole method on COCO 2014; see oaa_plus_coco.py.
_base_ = ['oaa_plus_coco.py']
data = 'data/coco'
train_tags = f'{data}/annotations/instances_train2014.json'
train_masks = f'{data}/masks/train2014'
val_list = f'{data}/masks/val2014/manifest.json'
oaa_config = 'oaa_mm::oaa_vgg16_coco14.py'
oaa_epochs = 7
oaa_plus_config = 'oaa_mm::oaa_plus_vgg16_coco14.py'
oaa_plus_epochs = 7
segmentation_config = (
    'oaa_mm::deeplab/deeplabv3plus_r50-d8_oaa_coco14-512x512.py'
)
