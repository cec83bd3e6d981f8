# OAA with ResNet-50, output stride 16, and a plain class-aware layer. The
# schedule is the PyTorch release's; the article has no ResNet classifier.
_base_ = [
    '_base_/models/cam_r50.py',
    '_base_/datasets/voc12_tags.py',
    '_base_/schedules/oaa_pytorch_release.py',
    '_base_/default_runtime.py',
]
