"""The segmentation configs: what they build, inherit and train on."""

import subprocess
import sys
from pathlib import Path

import mmseg
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.registry import DATASETS
from mmseg.structures import SegDataSample

from oaa_mm.datasets.toy import TOY_CLASSES, make_toy_voc
from oaa_mm.registry import MODELS
from oaa_mm.utils.palette import (
    read_index_png,
    voc_colormap,
    write_index_png,
)

ROOT = Path(__file__).resolve().parents[2]
DEEPLAB = ROOT / 'configs/deeplab'
INHERITED = DEEPLAB / 'deeplabv3plus_r50-d8_oaa_voc12aug-512x512.py'
BASE = 'deeplabv3plus/deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py'
MMSEG = Path(mmseg.__file__).parent / '.mim'
TOY = ROOT / 'configs/toy/deeplabv3plus_r18_toy.py'
CONFIGS = [
    *sorted(DEEPLAB.glob('*.py')),
    ROOT / 'configs/voc_mini/deeplabv3plus_r18.py',
    TOY,
]
every_config = pytest.mark.parametrize('path', CONFIGS, ids=lambda p: p.stem)


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    """The toy data set, and pseudo-labels with a third and all of 255."""
    data = tmp_path_factory.mktemp('toy')
    make_toy_voc(data, num_train=8, num_val=2)
    for number, mask in enumerate(data.glob('SegmentationClassAug/train*')):
        label = read_index_png(mask)
        label[: len(label) // 3 if number else len(label)] = 255
        write_index_png(data / 'labels' / mask.name, label)
    return data


def load(path):
    cfg = Config.fromfile(path)
    cfg.model.backbone.init_cfg = None
    cfg.model.pretrained = None
    return cfg


def batch_with_ignored_pixels(num_classes, size):
    labels = torch.randint(0, num_classes, (2, *size))
    labels[0, : size[0] // 3] = 255
    labels[1] = 255
    return {
        'inputs': [
            torch.randint(0, 256, (3, *size), dtype=torch.uint8)
            for _ in labels
        ],
        'data_samples': [
            SegDataSample(gt_sem_seg=PixelData(data=label[None]))
            for label in labels
        ],
    }


@every_config
def test_a_step_on_labels_with_255(path):
    """An image of nothing but 255 makes neither NaN nor an error."""
    torch.manual_seed(0)
    cfg = load(path)
    cfg.model.data_preprocessor.size = (65, 65)
    model = revert_sync_batchnorm(MODELS.build(cfg.model)).train()
    batch = batch_with_ignored_pixels(
        cfg.model.decode_head.num_classes, (65, 65)
    )
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    total = sum(v for k, v in losses.items() if 'loss' in k)
    assert 0 < total.item() < 100
    total.backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


@every_config
def test_pseudo_labels_are_one_pair_of_paths(path):
    cfg = load(path)
    dataset = cfg.train_dataloader.dataset
    # Paths from the working directory, so that a work_dir can be named.
    assert dataset.get('data_root') is None
    assert dataset.ann_file.startswith('work_dirs/')
    assert dataset.data_prefix.seg_map_path.startswith('work_dirs/')
    assert Path(dataset.ann_file).parent == (
        Path(dataset.data_prefix.seg_map_path).parent
    )
    # 255 neither adds to the loss nor thins it out, and 0 is background.
    for head in ('decode_head', 'auxiliary_head'):
        if head in cfg.model:
            assert cfg.model[head].loss_decode.avg_non_ignore
    assert 'reduce_zero_label' not in str(cfg.to_dict())
    assert (
        cfg.train_cfg.max_iters
        == (
            cfg.param_scheduler[0]
            if path == INHERITED
            else cfg.param_scheduler
        )['end']
    )


def difference(old, new, path=''):
    """Dotted keys at which two configs differ, and the whole values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = (old.keys() | new.keys()) - {'_scope_'}
        found = {}
        for key in keys:
            where = f'{path}.{key}' if path else key
            found |= difference(old.get(key), new.get(key), where)
        return found
    return {} if old == new else {path: (old, new)}


def without_scope(value):
    if isinstance(value, dict):
        return {
            k: without_scope(v) for k, v in value.items() if k != '_scope_'
        }
    if isinstance(value, list):
        return [without_scope(v) for v in value]
    return value


def test_inherited_config_changes_only_labels_and_loss():
    old = without_scope(
        Config.fromfile(MMSEG / 'configs' / BASE).to_dict(),
    )
    new = without_scope(Config.fromfile(INHERITED).to_dict())
    changes = difference(old, new)
    allowed = ('train_dataloader.dataset.', 'model.')
    assert all(key.startswith(allowed) for key in changes), changes
    joined = old['train_dataloader']['dataset']['datasets']
    assert {k: v for k, v in changes.items() if k.startswith('model.')} == {
        f'model.{head}.loss_decode.avg_non_ignore': (None, True)
        for head in ('decode_head', 'auxiliary_head')
    }
    dataset = new['train_dataloader']['dataset']
    for part in joined:
        assert dataset['type'] == part['type']
        assert dataset['pipeline'] == part['pipeline']
        assert dataset['data_prefix']['img_path'] == (
            f'{part["data_root"]}/{part["data_prefix"]["img_path"]}'
        )
    assert dataset.keys() == {'type', 'pipeline', 'data_prefix', 'ann_file'}


def learning_rates(path):
    """(lr, weight decay) of each trained parameter."""
    cfg = load(path)
    model = MODELS.build(cfg.model)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {id(p): name for name, p in model.named_parameters()}
    return {
        names[id(parameter)]: (group['lr'], group['weight_decay'])
        for group in wrapper.optimizer.param_groups
        for parameter in group['params']
        if parameter.requires_grad
    }


def test_deeplabv2_recipe():
    rates = learning_rates(
        DEEPLAB / 'deeplabv2_r101-d8_oaa_voc12aug-321x321.py'
    )
    for name, (lr, decay) in rates.items():
        if name.startswith('backbone'):
            expected = (2.5e-4, 5e-4)
        elif name.endswith('weight'):
            expected = (2.5e-3, 5e-4)
        else:
            expected = (5e-3, 0)
        assert (lr, decay) == pytest.approx(expected), name
    # ResNet-101: the stem, 33 blocks of 3, 4 shortcuts; no batch norm.
    backbone = [n for n in rates if n.startswith('backbone')]
    assert len(backbone) == 1 + 33 * 3 + 4
    assert len(rates) - len(backbone) == 8


def test_largefov_recipe():
    rates = learning_rates(
        DEEPLAB / 'deeplab-largefov_vgg16_oaa_voc12aug-321x321.py'
    )
    for name, (lr, decay) in rates.items():
        factor = 10 if name.startswith('decode_head') else 1
        if name.endswith('bias'):
            expected = (1e-3 * factor * 2, 0)
        else:
            expected = (1e-3 * factor, 5e-4)
        assert (lr, decay) == pytest.approx(expected), name
    assert len(rates) == 26 + 6


def test_papers_maps_are_40_cells_of_8_pixels():
    """321 pixels give 41 cells, 40 with VGG16, which rounds down."""
    for name, cells in (('deeplabv2_r101-d8', 41), ('deeplab-largefov', 40)):
        (path,) = DEEPLAB.glob(f'{name}*.py')
        model = MODELS.build(load(path).model).to('meta').eval()
        logits = model(torch.empty(1, 3, 321, 321, device='meta'))
        assert logits.shape == (1, 21, cells, cells)


def test_toy_classes_and_colours():
    cfg = load(TOY)
    assert cfg.metainfo.classes == ('background', *TOY_CLASSES)
    assert np.array_equal(cfg.metainfo.palette, voc_colormap(7))
    assert cfg.model.decode_head.num_classes == 7


def test_labels_reach_the_network_unchanged(toy):
    cfg = load(TOY)
    dataset = cfg.train_dataloader.dataset
    dataset.ann_file = str(toy / 'ImageSets/Segmentation/train_aug.txt')
    dataset.data_prefix.img_path = str(toy / 'JPEGImages')
    dataset.data_prefix.seg_map_path = str(toy / 'labels')
    dataset.pipeline = cfg.test_pipeline
    built = DATASETS.build(dataset)
    assert len(built) == 8
    for item in built:
        sample = item['data_samples']
        label = read_index_png(sample.seg_map_path)
        assert np.array_equal(sample.gt_sem_seg.data[0].numpy(), label)
        assert {0, 255} & set(np.unique(label))


def test_three_lines_turn_any_config(toy, tmp_path):
    """As docs/segmentation.md says; relative paths would go by data_root."""
    config = tmp_path / 'mine.py'
    config.write_text(
        f"""
_base_ = [{str(MMSEG / 'configs/_base_/datasets/pascal_voc12.py')!r}]
train_dataloader = dict(dataset=dict(ann_file={str(toy / 'list.txt')!r},
    data_prefix=dict(seg_map_path={str(toy / 'labels')!r})))
"""
    )
    (toy / 'list.txt').write_text('train_0000\n')
    (toy / 'images').mkdir(exist_ok=True)
    cfg = Config.fromfile(config)
    cfg.train_dataloader.dataset.data_root = str(toy)
    built = DATASETS.build(cfg.train_dataloader.dataset)
    info = built.get_data_info(0)
    assert info['seg_map_path'] == str(toy / 'labels/train_0000.png')
    assert info['img_path'] == str(toy / 'JPEGImages/train_0000.jpg')


def test_trains_under_mmsegs_own_tool(toy, tmp_path):
    """Which never imports oaa_mm: the config's first base does."""
    train, val = 'train_dataloader', 'val_dataloader'
    options = {
        f'{train}.dataset.ann_file': toy
        / 'ImageSets/Segmentation/train_aug.txt',
        f'{train}.dataset.data_prefix.img_path': toy / 'JPEGImages',
        f'{train}.dataset.data_prefix.seg_map_path': toy / 'labels',
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
