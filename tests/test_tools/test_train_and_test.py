"""From images to maps, numbers and pictures, as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from toy import make_toy_voc

from oaa_mm.attention import AttentionStore
from oaa_mm.io.fingerprint import fingerprint
from oaa_mm.io.manifest import manifest_path, read_manifest

ROOT = Path(__file__).resolve().parents[2]


def run(*command, expect=0):
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == expect, result.stderr[-3000:]
    return result.stdout + result.stderr


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    out = tmp_path_factory.mktemp('toy') / 'data'
    make_toy_voc(out, num_train=16, num_val=6)
    return out


def options(data, *more):
    parts = ('train', 'val', 'test')
    return [
        '--cfg-options',
        *[f'{part}_dataloader.dataset.data_root={data}' for part in parts],
        *[f'{part}_dataloader.num_workers=0' for part in parts],
        *[
            f'{part}_dataloader.persistent_workers=False'
            for part in ('train', 'val')
        ],
        *more,
    ]


@pytest.fixture(scope='module')
def trained(toy, tmp_path_factory):
    """Two epochs of the toy recipe, accumulating from the second on."""
    work_dir = tmp_path_factory.mktemp('work')
    config = work_dir / 'config.py'
    config.write_text(
        f'_base_ = {str(ROOT / "configs/toy/oaa_r18_toy.py")!r}\n'
        'custom_hooks = [dict(\n'
        "    type='oaa_mm.OAAHook', start_epoch=1, keep_epoch_maps=True)]\n"
    )
    log = run(
        'tools/train.py',
        config,
        '--work-dir',
        work_dir,
        *options(toy, 'train_cfg.max_epochs=2', 'train_cfg.val_interval=1'),
    )
    return config, work_dir, log


def test_train_accumulates_validates_and_logs(trained):
    _, work_dir, log = trained
    assert 'cls/mAP' in log
    line = next(x for x in log.splitlines() if 'oaa_accept_rate' in x)
    assert 'loss_cls' in line
    assert 'oaa_coverage' in line
    store = AttentionStore.load(work_dir / 'attention_epoch_2.safetensors')
    assert len(store.image_ids) == 16


def test_manifests_say_what_made_checkpoints_and_stores(toy, trained):
    config, work_dir, _ = trained
    made = {
        path.name.removesuffix('.manifest.json')
        for path in work_dir.glob('*.manifest.json')
    }
    assert made == {
        *(f'epoch_{n}.pth' for n in (1, 2)),
        *(f'attention_epoch_{n}.safetensors' for n in (1, 2)),
        *(f'epoch_maps_{n}.safetensors' for n in (1, 2)),
    }
    manifest = read_manifest(manifest_path(work_dir / 'epoch_2.pth'))
    assert manifest.seed == 0
    assert manifest.parameters['config_file'] == str(config)
    saved = manifest.parameters['config']
    assert saved['train_cfg']['max_epochs'] == 2  # with the command line
    assert saved['model']['type'] == 'oaa_mm.CAMClassifier'
    listed = toy / 'ImageSets/Segmentation/train_cls.txt'
    assert manifest.inputs['list'] == fingerprint(listed)
    assert manifest.inputs['images']['count'] == 16
    assert 'masks' not in manifest.inputs


def test_test_writes_the_cams_and_scores_them(toy, trained):
    config, work_dir, _ = trained
    log = run(
        'tools/test.py',
        config,
        work_dir / 'epoch_2.pth',
        '--work-dir',
        work_dir,
        *options(toy),
    )
    assert 'attention/mIoU' in log
    cams = AttentionStore.load(work_dir / 'cam.safetensors')
    final = AttentionStore.load(work_dir / 'attention_epoch_2.safetensors')
    assert list(cams) == list(final)
    manifest = read_manifest(manifest_path(work_dir / 'cam.safetensors'))
    assert manifest.tool == 'test'
    assert manifest.inputs['load_from'] == fingerprint(
        work_dir / 'epoch_2.pth'
    )
    results = work_dir / 'scores.json'
    out = run(
        'tools/evaluate.py',
        'attention',
        work_dir / 'cam.safetensors',
        work_dir / 'attention_epoch_2.safetensors',
        '--masks',
        toy / 'SegmentationClassAug',
        '--list',
        toy / 'ImageSets/Segmentation/train_aug.txt',
        '--classes',
        toy / 'classes.txt',
        '--json',
        results,
    )
    assert '255' in out
    cam, _ = json.loads(results.read_text())['stores']
    assert cam['store'] == 'cam'
    # The metric of the test run and the tool are one computation, but for
    # the rounding of stored maps.
    printed = float(log.split('attention/mIoU: ')[1].split()[0])
    assert 100 * cam['best']['mIoU'] == pytest.approx(printed, abs=0.3)


def test_cams_of_a_user_without_masks(toy, trained, tmp_path):
    config, work_dir, _ = trained
    checkpoint = work_dir / 'epoch_2.pth'
    key = 'test_dataloader.dataset.data_prefix.seg_map_path'
    common = ['--work-dir', tmp_path, *options(toy, f'{key}=none')]
    log = run('tools/test.py', config, checkpoint, *common, expect=1)
    remedy = log[log.index('`test_evaluator = ') + 1 : log.rindex('`')]
    # The line that the message names, in a config of one's own.
    own = tmp_path / 'own.py'
    own.write_text(f'_base_ = {str(config)!r}\n{remedy}\n')
    run('tools/test.py', own, checkpoint, *common)
    assert len(AttentionStore.load(tmp_path / 'cam.safetensors')) >= 16


def test_resume_goes_on(toy, trained):
    config, work_dir, _ = trained
    log = run(
        'tools/train.py',
        config,
        '--work-dir',
        work_dir,
        '--resume',
        *options(toy, 'train_cfg.max_epochs=3'),
    )
    assert 'OAAHook: restored' in log
    assert (work_dir / 'attention_epoch_3.safetensors').is_file()


def test_errors_are_one_line(tmp_path):
    out = run(
        'tools/train.py',
        'configs/toy/oaa_r18_toy.py',
        '--work-dir',
        tmp_path / 'w',
        *options(tmp_path / 'nothing'),
        expect=1,
    )
    last = out.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert 'nothing' in last
    assert 'Traceback' not in out
    out = run(
        'tools/test.py',
        'configs/toy/oaa_r18_toy.py',
        tmp_path / 'none.pth',
        expect=1,
    )
    assert 'error: no such checkpoint' in out


@pytest.fixture
def deeplab(toy, tmp_path):
    """The toy DeepLab, which learns the masks themselves."""
    config = tmp_path / 'deeplab.py'
    config.write_text(
        f'_base_ = {str(ROOT / "configs/toy/deeplabv3plus_r18_toy.py")!r}\n'
        'train_dataloader = dict(dataset=dict(\n'
        "    _delete_=True, type='BaseSegDataset', data_root='data/toy',\n"
        '    metainfo={{_base_.metainfo}}, data_prefix=dict(\n'
        "        img_path='JPEGImages',\n"
        "        seg_map_path='SegmentationClassAug'),\n"
        '    pipeline={{_base_.train_pipeline}}))\n'
    )
    return config


def test_batch_norm_over_a_single_value_says_what_to_set(
    toy, deeplab, tmp_path
):
    out = run(
        'tools/train.py',
        deeplab,
        '--work-dir',
        tmp_path,
        *options(toy, 'train_dataloader.batch_size=1'),
        expect=1,
    )
    assert 'Traceback' not in out
    assert 'error: batch norm cannot train on a batch of one' in out
    assert 'train_dataloader.batch_size to 2 or more' in out


def test_masks_are_written_beside_several_metrics(toy, deeplab, tmp_path):
    with deeplab.open('a') as file:
        file.write(
            'test_evaluator = [\n'
            "    dict(type='IoUMetric', iou_metrics=['mIoU']),\n"
            "    dict(type='IoUMetric', iou_metrics=['mDice'], prefix='d')]\n"
        )
    model = MODELS.build(Config.fromfile(deeplab).model)
    checkpoint = tmp_path / 'model.pth'
    torch.save({'state_dict': model.state_dict()}, checkpoint)
    command = ['tools/test.py', deeplab, checkpoint, '--work-dir', tmp_path]
    command += ['--out', tmp_path / 'masks']
    alone = 'test_dataloader.persistent_workers=False'
    log = run(*command, *options(toy, alone))
    assert 'mIoU: ' in log
    assert 'd/mDice: ' in log
    assert len(list((tmp_path / 'masks').glob('*.png'))) == 6


def test_masks_of_a_classifier_are_refused(toy, trained, tmp_path):
    config, work_dir, _ = trained
    command = ['tools/test.py', config, work_dir / 'epoch_2.pth']
    command += ['--work-dir', tmp_path, '--out', tmp_path / 'masks']
    log = run(*command, *options(toy), expect=1)
    assert 'Traceback' not in log
    assert 'error: --out needs a metric of mmseg' in log


@pytest.mark.slow
def test_vgg_recipe_runs_on_real_images_by_options_alone(voc_mini, tmp_path):
    run(
        'tools/train.py',
        'configs/oaa_vgg16_voc.py',
        '--work-dir',
        tmp_path,
        *options(
            voc_mini,
            'model.backbone.init_cfg=None',
            'train_dataloader.dataset.indices=2',
            'train_dataloader.batch_size=2',
            'train_dataloader.batch_sampler.min_iters=1',
            'val_dataloader.dataset.indices=1',
            'train_cfg.max_epochs=1',
            'custom_hooks.0.start_epoch=0',
        ),
    )
    store = AttentionStore.load(tmp_path / 'attention_epoch_1.safetensors')
    height, width = store[next(iter(store))].shape
    assert min(height, width) == 28  # 224 / 8
