# The whole method on COCO 2017: VGG16 for tags and attention, DeepLabV3+. The
# masks come from tools/make_coco_masks.py, see docs/data.md:
#   python tools/run_pipeline.py configs/pipelines/oaa_plus_coco.py --dry-run
_base_ = ['_base_/oaa_plus.py']
data = 'data/coco'
classes = 'coco'
train_tags = f'{data}/annotations/instances_train2017.json'
train_masks = f'{data}/masks/train2017'
val_list = f'{data}/masks/val2017/manifest.json'
oaa_config = 'oaa_mm::oaa_vgg16_coco.py'
oaa_epochs = 5
oaa_plus_config = 'oaa_mm::oaa_plus_vgg16_coco.py'
oaa_plus_epochs = 5
segmentation_config = (
    'oaa_mm::deeplab/deeplabv3plus_r50-d8_oaa_coco-512x512.py'
)
segmentation_iters = 80000
label_options = '--background power'
workers = 4
