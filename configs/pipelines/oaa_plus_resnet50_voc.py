# The whole method on PASCAL VOC 2012 with ResNet-50 for tags and attention.
_base_ = ['oaa_plus_voc.py']
oaa_config = 'oaa_mm::oaa_resnet50_voc.py'
oaa_plus_config = 'oaa_mm::oaa_plus_resnet50_voc.py'
