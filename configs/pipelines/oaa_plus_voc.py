# The whole method on PASCAL VOC 2012 as in the authors' PyTorch release, but
# with DeepLabV2 from ImageNet weights (the release: from COCO's masks), and with
# labels of the mean of OAA+ and OAA (the release: accept_oaa_plus=True).
#   python tools/run_pipeline.py configs/pipelines/oaa_plus_voc.py --dry-run
_base_ = ['_base_/oaa_plus.py']
labels_from = 'oaa_plus'
data = 'data/VOCdevkit/VOC2012'
classes = 'voc'
oaa_config = 'oaa_mm::oaa_vgg16_voc.py'
oaa_epochs = 15
oaa_plus_config = 'oaa_mm::oaa_plus_vgg16_voc.py'
oaa_plus_epochs = 15
segmentation_config = (
    'oaa_mm::deeplab/deeplabv2_r101-d8_oaa_voc12aug-321x321.py'
)
segmentation_iters = 20000
