# VGG16, output stride 8, three 3x3 convolutions and the class-aware layer.
model = dict(
    type='oaa_mm.CAMClassifier',
    data_preprocessor=dict(
        type='ImgDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='oaa_mm.VGG16',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16'),
    ),
    head=dict(
        type='oaa_mm.CAMHead',
        in_channels=512,
        num_classes=20,
        num_convs=3,
        channels=512,
    ),
)
