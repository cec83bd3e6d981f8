# `../toy/oaa_r18_toy.py` in mmengine's new style: bases and types are imported,
# so that an editor finds them. The training is the same, bit for bit.
from mmcv.transforms import LoadImageFromFile
from mmengine.config import read_base
from mmengine.dataset import DefaultSampler
from mmengine.model import ImgDataPreprocessor
from mmengine.optim import OptimWrapper, PolyLR
from mmengine.runner import EpochBasedTrainLoop, TestLoop, ValLoop
from mmseg.datasets.transforms import RandomFlip
from mmseg.models import ResNet
from torch.optim import AdamW

from oaa_mm.datasets import (
    ColorJitter,
    EqualSizeBatchSampler,
    ImageLevelDataset,
    PackImageLevelInputs,
)
from oaa_mm.engine import OAAHook
from oaa_mm.evaluation.metrics import (
    AttentionMetric,
    AttentionStoreWriter,
    MultiLabelMetric,
)
from oaa_mm.models import CAMClassifier, CAMHead

with read_base():
    from ._base_.default_runtime import *

lists = 'ImageSets/Segmentation'
dataset = dict(
    type=ImageLevelDataset,
    data_root='data/toy',
    metainfo=dict(classes=('owl', 'fox', 'fish', 'cart', 'tractor', 'house')),
)
model = dict(
    type=CAMClassifier,
    data_preprocessor=dict(
        type=ImgDataPreprocessor,
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type=ResNet,
        depth=18,
        base_channels=32,
        num_stages=2,
        out_indices=(1,),
        strides=(1, 2),
        dilations=(1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
    ),
    head=dict(
        type=CAMHead,
        in_channels=64,
        num_classes=6,
        num_convs=1,
        channels=64,
        init_cfg=dict(type='Kaiming', layer='Conv2d'),
    ),
)

train_pipeline = [
    dict(type=LoadImageFromFile),
    dict(type=ColorJitter, hue=0.02),
    dict(type=RandomFlip, prob=0.5),
    dict(type=PackImageLevelInputs),
]
test_pipeline = [dict(type=LoadImageFromFile), dict(type=PackImageLevelInputs)]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    # Without it mmengine gives every epoch the same random augmentations.
    persistent_workers=True,
    sampler=dict(type=DefaultSampler, shuffle=True),
    batch_sampler=dict(type=EqualSizeBatchSampler),
    dataset=dict(
        **dataset,
        ann_file=f'{lists}/train_cls.txt',
        data_prefix=dict(img_path='JPEGImages'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=5,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        **dataset,
        ann_file=f'{lists}/val_cls.txt',
        data_prefix=dict(img_path='JPEGImages'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type=MultiLabelMetric)
test_dataloader = dict(
    batch_size=5,
    num_workers=1,
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        **dataset,
        ann_file=f'{lists}/train_cls.txt',
        data_prefix=dict(
            img_path='JPEGImages', seg_map_path='SegmentationClassAug'
        ),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_evaluator = [
    dict(type=AttentionMetric),
    dict(type=AttentionStoreWriter, out_file='cam.safetensors'),
]

train_cfg = dict(type=EpochBasedTrainLoop, max_epochs=20, val_interval=5)
val_cfg = dict(type=ValLoop)
test_cfg = dict(type=TestLoop)
optim_wrapper = dict(
    type=OptimWrapper, optimizer=dict(type=AdamW, lr=4e-3, weight_decay=1e-2)
)
param_scheduler = dict(
    type=PolyLR,
    power=0.9,
    eta_min=0,
    begin=0,
    end=20,
    by_epoch=True,
    convert_to_iter_based=True,
)
# From scratch the classifier needs some epochs before its maps mean much.
custom_hooks = [dict(type=OAAHook, start_epoch=10, keep_epoch_maps=True)]
