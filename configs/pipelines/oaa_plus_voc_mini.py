# The whole method on the small real subset of VOC with ResNet-18: some hours
# on two CPU cores.
_base_ = ['_base_/oaa_plus.py']
data = '../shared/data/voc_mini'
classes = 'voc'
oaa_config = 'oaa_mm::voc_mini/oaa_r18.py'
oaa_epochs = 10
oaa_plus_config = 'oaa_mm::voc_mini/oaa_plus_r18.py'
oaa_plus_epochs = 6
segmentation_config = 'oaa_mm::voc_mini/deeplabv3plus_r18.py'
segmentation_iters = 500
