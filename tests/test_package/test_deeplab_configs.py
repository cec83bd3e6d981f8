"""The segmentation configs: what they build, inherit and optimise."""

from pathlib import Path

import mmseg
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.datasets import PascalVOCDataset
from mmseg.structures import SegDataSample
from toy import TOY_CLASSES

from oaa_mm.io import voc_colormap
from oaa_mm.registry import MODELS

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
def test_pseudo_labels_are_one_folder(path):
    cfg = load(path)
    dataset = cfg.train_dataloader.dataset
    assert dataset.type == 'oaa_mm.PseudoLabelDataset'
    # A path from the working directory, so that a work_dir can be named.
    assert dataset.get('data_root') is None
    assert dataset.pseudo_labels.startswith('work_dirs/')
    # Labels of another kind: two paths, and the names of these classes.
    assert list(dataset.data_prefix) == ['img_path']
    assert len(dataset.metainfo.classes) == cfg.model.decode_head.num_classes
    # 255 neither adds to the loss nor thins it out, and 0 is background.
    for head in ('decode_head', 'auxiliary_head'):
        if head in cfg.model:
            assert cfg.model[head].loss_decode.avg_non_ignore
    assert 'reduce_zero_label' not in str(cfg.to_dict())
    schedulers = cfg.param_scheduler
    if not isinstance(schedulers, list):
        schedulers = [schedulers]
    # PolyLR ends where it is told to, not with the loop.
    assert [x['end'] for x in schedulers] == [cfg.train_cfg.max_iters]


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
    allowed = (
        *('train_dataloader.dataset.', 'model.', 'classes'),
        *('run_hooks', 'default_hooks.'),
    )
    assert all(key.startswith(allowed) for key in changes), changes
    joined = old['train_dataloader']['dataset']['datasets']
    assert {k: v for k, v in changes.items() if k.startswith('model.')} == {
        f'model.{head}.loss_decode.avg_non_ignore': (None, True)
        for head in ('decode_head', 'auxiliary_head')
    }
    dataset = new['train_dataloader']['dataset']
    for part in joined:
        assert dataset['pipeline'] == part['pipeline']
        assert dataset['data_prefix']['img_path'] == (
            f'{part["data_root"]}/{part["data_prefix"]["img_path"]}'
        )
    assert dataset.keys() == {
        'type', 'pipeline', 'data_prefix', 'pseudo_labels', 'metainfo',
    }  # fmt: skip
    classes = PascalVOCDataset.METAINFO['classes']
    assert tuple(dataset['metainfo']['classes']) == classes


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
