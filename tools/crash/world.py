"""Tiny data and configs to break runs with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toy import make_toy_voc

from .lab import ROOT

EPOCHS = 4
#: The toy recipe, shrunk; `{extra}` differs between configs.
_TRAINING = """
_base_ = {base!r}
model = dict(
    backbone=dict(base_channels=8), head=dict(in_channels=16, channels=8))
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    dataset=dict(data_root={data!r}))
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root={data!r}))
test_dataloader = dict(num_workers=0, dataset=dict(data_root={data!r}))
train_cfg = dict(max_epochs={epochs}, val_begin=100)
param_scheduler = dict(end={epochs})
{extra}
"""
_PLAIN = """
_base_ = 'oaa.py'
train_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
"""
_SEGMENTATION = """
_base_ = {base!r}
model = dict(
    backbone=dict(base_channels=8),
    decode_head=dict(
        in_channels=16, channels=8, c1_in_channels=8, c1_channels=4))
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_iters=8, val_begin=100)
default_hooks = dict(checkpoint=dict(interval=4))
"""
_PIPELINE = """
_base_ = {base!r}
data = {data!r}
oaa_config = {folder!r} + '/oaa.py'
oaa_epochs = {epochs}
oaa_plus_config = {folder!r} + '/oaa_plus.py'
oaa_plus_epochs = {epochs}
segmentation_config = {folder!r} + '/segmentation.py'
segmentation_iters = 8
workers = 1
"""


@dataclass(frozen=True)
class World:
    """A toy data set and configs.

    Attributes:
        folder (Path): Folder of the configs: ``oaa.py``, with augmentation,
            ``plain.py``, without, ``oaa_plus.py``, ``pipeline.py``.
        data (Path): The data set.
    """

    folder: Path
    data: Path


def make_world(folder: Path, *, images: int = 12) -> World:
    """Write the data set and the configs.

    Args:
        folder (Path): A new or empty folder.
        images (int): Training images. Defaults to 12.

    Returns:
        World: Where things lie.
    """
    data = make_toy_voc(folder / 'data', num_train=images, num_val=4)
    common = {'data': str(data), 'epochs': EPOCHS, 'folder': str(folder)}
    accumulate = "custom_hooks = [dict(type='oaa_mm.OAAHook', start_epoch=1)]"
    texts = {
        'oaa': _TRAINING.format(
            base=_base('toy/oaa_r18_toy'), extra=accumulate, **common
        ),
        'plain': _PLAIN,
        'oaa_plus': _TRAINING.format(
            base=_base('toy/oaa_plus_r18_toy'), extra='', **common
        ),
        'segmentation': _SEGMENTATION.format(
            base=_base('toy/deeplabv3plus_r18_toy')
        ),
        'pipeline': _PIPELINE.format(
            base=_base('pipelines/oaa_plus_toy'), **common
        ),
    }
    for name, text in texts.items():
        (folder / f'{name}.py').write_text(text, encoding='utf-8')
    return World(folder, Path(data))


def _base(name: str) -> str:
    return str(ROOT / 'configs' / f'{name}.py')
