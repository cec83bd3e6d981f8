"""Pseudo-labels reach mmseg's data sets, from configs and its own tool."""

import subprocess
import sys
from pathlib import Path

import mmseg
import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from toy import make_toy_voc

from oaa_mm.attention.record import record_data
from oaa_mm.io import read_mask, write_mask
from oaa_mm.io.manifest import Manifest, write_manifest

ROOT = Path(__file__).resolve().parents[2]
INHERITED = (
    ROOT / 'configs/deeplab/deeplabv3plus_r50-d8_oaa_voc12aug-512x512.py'
)
TOY = ROOT / 'configs/toy/deeplabv3plus_r18_toy.py'
MMSEG = Path(mmseg.__file__).parent / '.mim'


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    """The toy data set, and pseudo-labels with a third and all of 255."""
    data = tmp_path_factory.mktemp('toy')
    make_toy_voc(data, num_train=8, num_val=2)
    for number, mask in enumerate(data.glob('SegmentationClassAug/train*')):
        label = read_mask(mask)
        label[: len(label) // 3 if number else len(label)] = 255
        write_mask(data / 'pseudo/labels' / mask.name, label)
    images = sorted(data.glob('JPEGImages/train*'))
    record = record_data({i.stem: str(i) for i in images}, data / 'pseudo')
    manifest = Manifest(tool='make_pseudo_labels', data_set=record)
    write_manifest(data / 'pseudo/manifest.json', manifest)
    names = '\n'.join(image.stem for image in images)
    (data / 'pseudo/train.txt').write_text(names)
    return data


def test_labels_reach_the_network_unchanged(toy):
    cfg = Config.fromfile(TOY)
    dataset = cfg.train_dataloader.dataset
    dataset.ann_file = str(toy / 'ImageSets/Segmentation/train_aug.txt')
    dataset.data_prefix.img_path = str(toy / 'JPEGImages')
    dataset.data_prefix.seg_map_path = str(toy / 'pseudo/labels')
    dataset.pipeline = cfg.test_pipeline
    built = DATASETS.build(dataset)
    assert len(built) == 8
    for item in built:
        sample = item['data_samples']
        label = read_mask(sample.seg_map_path)
        assert np.array_equal(sample.gt_sem_seg.data[0].numpy(), label)
        assert 255 in label


def test_three_lines_turn_any_config(toy, tmp_path):
    """The example of docs/segmentation.md, on a data set with data_root."""
    page = (ROOT / 'docs/segmentation.md').read_text(encoding='utf-8')
    text = page.split('```python\n')[1].split('```')[0]
    assert text.count(' = ') == 3
    bases = MMSEG / 'configs/_base_'
    mine = f"""
_base_ = [
    {str(bases / 'models/fcn_r50-d8.py')!r},
    {str(bases / 'datasets/pascal_voc12.py')!r},
]
model = dict(auxiliary_head=None)
"""
    (tmp_path / 'my_config.py').write_text(mine)
    for stand_in, path in (
        ('/path/to/train_aug.txt', toy / 'list.txt'),
        ('/path/to/labels', toy / 'pseudo/labels'),
    ):
        assert stand_in in text
        text = text.replace(stand_in, str(path))
    (tmp_path / 'pseudo.py').write_text(text)
    (toy / 'list.txt').write_text('train_0000\n')

    cfg = Config.fromfile(tmp_path / 'pseudo.py')
    assert cfg.model.decode_head.loss_decode.avg_non_ignore
    assert cfg.model.decode_head.loss_decode.type == 'CrossEntropyLoss'
    cfg.train_dataloader.dataset.data_root = str(toy)
    (info,) = DATASETS.build(cfg.train_dataloader.dataset).load_data_list()
    assert info['seg_map_path'] == str(toy / 'pseudo/labels/train_0000.png')
    assert info['img_path'] == str(toy / 'JPEGImages/train_0000.jpg')


def test_trains_under_mmsegs_own_tool(toy, tmp_path):
    """Which never imports oaa_mm: the config's first base does."""
    train, val = 'train_dataloader', 'val_dataloader'
    options = {
        f'{train}.dataset.pseudo_labels': toy / 'pseudo',
        f'{train}.dataset.pipeline.2.scale': '(128,128)',
        f'{train}.dataset.pipeline.3.crop_size': '(64,64)',
        f'{train}.dataset.pipeline.6.size': '(64,64)',
        f'{train}.batch_size': 2,
        f'{val}.dataset.data_root': toy,
        f'{val}.dataset.data_prefix.seg_map_path': 'SegmentationClassAug',
        f'{val}.dataset.pipeline.1.scale': '(128,128)',
        **{f'{x}.num_workers': 0 for x in (train, val)},
        **{f'{x}.persistent_workers': False for x in (train, val)},
        'model.pretrained': None,
        # An eighth of the channels, for speed.
        'model.backbone.base_channels': 8,
        'model.decode_head.in_channels': 256,
        'model.decode_head.c1_in_channels': 32,
        'model.auxiliary_head.in_channels': 128,
        'model.data_preprocessor.size': '(64,64)',
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'default_hooks.logger.interval': 1,
    }
    result = subprocess.run(
        [
            *(sys.executable, MMSEG / 'tools/train.py', INHERITED),
            *('--work-dir', tmp_path / 'work', '--cfg-options'),
            *(f'{key}={value}' for key, value in options.items()),
        ],
        cwd=tmp_path,  # nothing of the repository is importable from here
        capture_output=True,
        text=True,
        check=False,
    )
    log = result.stdout + result.stderr
    assert result.returncode == 0, log[-3000:]
    assert 'Iter(train) [2/2]' in log
    assert 'mIoU: ' in log
    assert (tmp_path / 'work/iter_2.pth').is_file()
