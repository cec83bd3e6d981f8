# The whole method on the embedded data set (tools/make_toy_voc.py data/toy),
# in a few minutes on two CPU cores.
_base_ = ['_base_/oaa_plus.py']
labels_from = 'oaa_plus'
data = 'data/toy'
oaa_config = 'oaa_mm::toy/oaa_r18_toy.py'
oaa_epochs = 20
oaa_plus_config = 'oaa_mm::toy/oaa_plus_r18_toy.py'
oaa_plus_epochs = 12
segmentation_config = 'oaa_mm::toy/deeplabv3plus_r18_toy.py'
segmentation_iters = 500
# Processes that make labels: for few images, starting another takes longer.
workers = 1
