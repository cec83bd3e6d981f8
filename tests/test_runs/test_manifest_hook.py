"""ManifestHook and what it finds out about a run."""

import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.logging import MessageHub
from mmseg.datasets import BaseSegDataset
from toy import make_toy_voc

from oaa_mm.io.fingerprint import fingerprint
from oaa_mm.io.manifest import manifest_path, read_manifest
from oaa_mm.runs import ManifestHook
from oaa_mm.runs.manifest import dataset_inputs, weight_inputs


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    out = tmp_path_factory.mktemp('toy')
    make_toy_voc(out, num_train=3, num_val=2)
    return out


def seg_dataset(toy, part):
    return BaseSegDataset(
        ann_file=f'ImageSets/Segmentation/{part}.txt',
        data_root=str(toy),
        data_prefix={
            'img_path': 'JPEGImages',
            'seg_map_path': 'SegmentationClassAug',
        },
        metainfo={'classes': ('background', 'a')},
        pipeline=[],
    )


@pytest.fixture
def runner(toy, tmp_path):
    """What the hook needs of a runner, without a training."""
    name = f'manifest_test_{tmp_path.name}'

    class Runner(SimpleNamespace):
        __hash__ = object.__hash__

    cfg = SimpleNamespace(
        filename='config.py',
        get=lambda key: None,
        to_dict=lambda: {
            'kind': torch.nn.ReLU,
            'size': (1, 2),
            'inf': float('inf'),
        },
    )
    return Runner(
        cfg=cfg,
        seed=7,
        work_dir=str(tmp_path),
        message_hub=MessageHub.get_instance(name),
        logger=logging.getLogger(name),
        train_dataloader=SimpleNamespace(dataset=seg_dataset(toy, 'val')),
    )


def save_checkpoint(runner, tmp_path, name, kind='last_ckpt'):
    path = tmp_path / name
    path.write_bytes(b'weights')
    runner.message_hub.update_info(kind, str(path))
    return path


def test_each_checkpoint_gets_one_and_takes_it_along(runner, tmp_path):
    hook = ManifestHook()
    hook.after_train_iter(runner, 0)
    assert not list(tmp_path.iterdir())
    first = save_checkpoint(runner, tmp_path, 'epoch_1.pth')
    hook.after_train_epoch(runner)
    assert read_manifest(manifest_path(first)).seed == 7
    best = save_checkpoint(runner, tmp_path, 'best.pth', 'best_ckpt')
    hook.after_val_epoch(runner, {})
    # CheckpointHook keeps the newest ones only.
    first.unlink()
    last = save_checkpoint(runner, tmp_path, 'epoch_2.pth')
    hook.after_train_epoch(runner)
    assert sorted(tmp_path.glob('*.json')) == sorted(
        map(manifest_path, (best, last))
    )


def test_a_checkpoint_of_the_time_before_is_left_alone(runner, tmp_path):
    """A resumed run remembers its name; the file may be elsewhere."""
    runner.message_hub.update_info('last_ckpt', str(tmp_path / 'gone.pth'))
    ManifestHook().after_train_iter(runner, 0)
    assert not list(tmp_path.iterdir())


def test_configs_hold_more_than_json(runner, tmp_path):
    path = save_checkpoint(runner, tmp_path, 'epoch_1.pth')
    ManifestHook().after_train_epoch(runner)
    config = read_manifest(manifest_path(path)).parameters['config']
    assert config['size'] == [1, 2]
    assert config['inf'] == 'Infinity'
    assert 'ReLU' in config['kind']


def test_inputs_of_joined_data_sets(toy):
    train, val = (seg_dataset(toy, part) for part in ('train_aug', 'val'))
    joined = ConcatDataset([train, val])
    inputs = dataset_inputs(joined, masks=True)
    assert inputs['images 1']['count'] == 3
    assert inputs['images 2']['count'] == 2
    assert inputs['list 2']['sha256'] == fingerprint(val.ann_file)['sha256']
    assert inputs['masks 1']['bytes_read'] == inputs['masks 1']['bytes'] > 0
    assert 'masks 1' not in dataset_inputs(joined, masks=False)
    repeated = RepeatDataset(val, times=2)
    assert dataset_inputs(repeated, masks=True)['images']['count'] == 2


def test_changed_masks_change_the_manifest(toy):
    dataset = seg_dataset(toy, 'val')
    before = dataset_inputs(dataset, masks=True)
    mask = next(toy.glob('SegmentationClassAug/val*'))
    content = mask.read_bytes()
    mask.write_bytes(content[:-1] + b'?')
    after = dataset_inputs(dataset, masks=True)
    mask.write_bytes(content)
    assert after['masks'] != before['masks']
    assert after['list'] == before['list']


def test_weights_are_found_wherever_the_config_has_them(tmp_path):
    weights = tmp_path / 'weights.pth'
    weights.write_bytes(b'abc')
    init = {'type': 'Pretrained', 'checkpoint': str(weights)}
    inputs = weight_inputs(
        {
            'model': {
                'pretrained': 'torchvision://resnet50',
                'backbone': {'init_cfg': [init]},
            },
            'load_from': str(weights),
        }
    )
    assert inputs['load_from'] == fingerprint(weights)
    place = 'model.backbone.init_cfg.0.checkpoint'
    assert inputs[place] == fingerprint(weights)
    assert inputs['model.pretrained']['path'] == 'torchvision://resnet50'
    assert len(inputs) == 3
