"""The archive of VOC 2012 as it is downloaded, by the commands users type."""

import runpy
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.io import write_mask
from oaa_mm.models import VGG16
from oaa_mm.pipeline import load_pipeline
from oaa_mm.tags.formats.voc_xml import annotation

ROOT = Path(__file__).resolve().parents[2]
CONFIG = str(ROOT / 'configs/oaa_vgg16_voc.py')
PIPELINE = ROOT / 'configs/pipelines/oaa_plus_voc.py'
VOC = Path('data/VOCdevkit/VOC2012')
LISTS = VOC / 'ImageSets/Segmentation'
#: Training images; those of an even number are VOC's and have a mask.
TRAIN = [f'2007_{number:06d}' for number in range(8)]
VAL = ['2007_000101', '2007_000102']
OTHER = ['2012_000001']


def tool(name, function='main'):
    return runpy.run_path(str(ROOT / f'tools/{name}.py'))[function]


@pytest.fixture
def plain(tmp_path, monkeypatch):
    """The layout of the archive, eight images of which are `train_aug`."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'Annotations', 'SegmentationClass'):
        (VOC / folder).mkdir(parents=True)
    LISTS.mkdir(parents=True)
    names = ('cat', 'dog', 'person')
    for number, image_id in enumerate([*TRAIN, *VAL, *OTHER]):
        pixels = rng.integers(0, 255, (32, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(VOC / f'JPEGImages/{image_id}.jpg')
        objects = [(names[number % 3], (1, 2, 20, 30)), ('person', None)]
        (VOC / f'Annotations/{image_id}.xml').write_bytes(
            annotation(image_id, objects, (32, 40))
        )
    for image_id in [*TRAIN[::2], *VAL]:
        mask = np.zeros((32, 40), np.uint8)
        mask[8:20, 8:20] = 15
        write_mask(VOC / f'SegmentationClass/{image_id}.png', mask)
    for name, ids in {
        'train': TRAIN[::2],
        'val': VAL,
        'trainval': [*TRAIN[::2], *VAL],
    }.items():
        (LISTS / f'{name}.txt').write_text('\n'.join(ids) + '\n')
    shipped = tmp_path / 'ids.txt'
    shipped.write_text('\n'.join(TRAIN) + '\n')
    monkeypatch.setattr('oaa_mm.tags.voc12.TRAIN_AUG', str(shipped))
    return tmp_path


@pytest.fixture
def vgg16(tmp_path, monkeypatch):
    """Weights where mmengine's loader keeps what it has downloaded."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
    folder = tmp_path / 'torch/hub/checkpoints'
    folder.mkdir(parents=True)
    torch.save(VGG16().state_dict(), folder / 'vgg16-397923af.pth')


def options(*more):
    pipelines = [
        f'{part}_dataloader.dataset.pipeline.1.scale=32'
        for part in ('train', 'val', 'test')
    ]
    workers = [
        f'{part}_dataloader.num_workers=0' for part in ('train', 'val', 'test')
    ]
    off = [
        f'{part}_dataloader.persistent_workers=False'
        for part in ('train', 'val')
    ]
    once = 'train_dataloader.batch_sampler.min_iters=1'
    return ['--cfg-options', *pipelines, *workers, *off, once, *more]


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob('*')}


def test_training_and_test(plain, vgg16, capfd):
    before = listing(plain / 'data')
    tool('train')([CONFIG, *options('train_cfg.max_epochs=2')])
    text = capfd.readouterr()
    text = text.out + text.err
    assert text.count('train_cls.txt does not exist') == 1
    assert f'the images are those of {plain}/ids.txt' in text
    assert f'val_cls.txt does not exist: the images are those of {LISTS}' in (
        text
    )
    work = plain / 'work_dirs/oaa_vgg16_voc'
    store = AttentionStore.load(work / 'attention_epoch_2.safetensors')
    assert set(store.image_ids) == set(TRAIN)
    tool('test')([CONFIG, str(work / 'epoch_2.pth'), *options()])
    text = capfd.readouterr()
    text = text.out + text.err
    assert 'SegmentationClassAug (masks of SBD) does not exist' in text
    assert 'attention maps, 4 of 8 images have a mask:' in text
    assert 'attention/mIoU' in text
    store = AttentionStore.load(work / 'cam.safetensors')
    assert set(store.image_ids) == set(TRAIN)
    # The first image has a cat; every one has a person.
    assert store.classes_of(TRAIN[0]) == (7, 14)
    assert listing(plain / 'data') == before


def test_weights_that_cannot_be_downloaded(plain, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(plain / 'torch'))
    key = 'model.backbone.init_cfg.checkpoint'
    url = 'http://127.0.0.1:9/vgg16.pth'  # nothing listens there
    place = plain / 'torch/hub/checkpoints/vgg16.pth'
    with pytest.raises(ConnectionError) as error:
        tool('train')([CONFIG, *options(f'{key}={url}')])
    assert f'copy {url} to {place} (' in str(error.value)
    assert f'--cfg-options {key}=FILE' in str(error.value)


@pytest.mark.parametrize(
    ('weights', 'file'),
    [
        ('torchvision://vgg16', 'vgg16-397923af.pth'),
        ('open-mmlab://resnet50_v1c', 'resnet50_v1c-2cccc1ad.pth'),
    ],
)
def test_names_of_weights(weights, file, monkeypatch, tmp_path):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    model = {'pretrained': weights}
    cfg = Config({'model': model, 'load_from': 'here.pth'})
    with (
        pytest.raises(ConnectionError, match='offline') as error,
        tool('train', 'explain_download')(cfg),
    ):
        raise URLError('offline')
    assert f'{tmp_path}/hub/checkpoints/{file} (' in str(error.value)
    assert f'/{file} to ' in str(error.value)
    assert '--cfg-options model.pretrained=FILE' in str(error.value)
    assert 'here.pth' not in str(error.value)  # nothing to download


def test_doctor(plain, capsys):
    assert tool('check_dataset')(['--config', CONFIG]) == 0
    text = capsys.readouterr().out
    assert 'train_cls.txt does not exist' in text
    assert 'SegmentationClassAug (masks of SBD) does not exist' in text
    assert '8 images listed; found 8 images, 4 masks' in text
    assert '2 images listed; found 2 images, 2 masks' in text
    assert 'only --background saliency needs it' in text
    assert text.endswith('training can start\n')
    (VOC / f'Annotations/{TRAIN[3]}.xml').unlink()
    assert tool('check_dataset')(['--config', CONFIG]) == 1
    text = capsys.readouterr().out
    assert '1 of 8 listed images have no entry' in text
    assert 'training can start' not in text


def test_pipeline(plain, capsys):
    pipeline = load_pipeline(PIPELINE)
    text = capsys.readouterr().out
    assert 'labels are made with --background power --refine contrast' in text
    assert f'evaluated on the images of {LISTS}/train.txt' in text
    stages = {stage.name: stage for stage in pipeline.stages}
    (labels,) = stages['labels'].commands
    *_, refine, steps, threshold, value = labels
    assert [refine, steps] == ['--refine', 'contrast,regions,grabcut']
    assert [threshold, value] == ['--attention-threshold', '0.3']
    assert labels[labels.index('--list') + 1] == str(plain / 'ids.txt')
    assert stages['oaa'].inputs == [plain / 'ids.txt']
    for command in stages['evaluation'].commands[:2]:
        folder = command[command.index('--masks') + 1]
        assert folder == str(VOC / 'SegmentationClass')
        assert command[command.index('--list') + 1] == f'{LISTS}/train.txt'
    # The checks of a dry run.
    checks = [
        [str(ROOT / w) if w[:8] == 'configs/' else w for w in check[3:]]
        for check in pipeline.checks
    ]
    assert [tool('check_dataset')(words) for words in checks] == [0, 0]
    (VOC / f'SegmentationClass/{VAL[0]}.png').unlink()
    assert tool('check_dataset')(checks[1]) == 1
    capsys.readouterr()
    # What is there is used.
    (VOC / 'SaliencyMaps').mkdir()
    (VOC / 'SegmentationClassAug').mkdir()
    for name in ('train_aug', 'train_cls'):
        (LISTS / f'{name}.txt').touch()
    stages = {s.name: s for s in load_pipeline(PIPELINE).stages}
    assert 'does not exist' not in capsys.readouterr().out
    (labels,) = stages['labels'].commands
    assert labels[-4:-2] == ['--saliency-dir', f'{VOC}/SaliencyMaps']
    assert labels[-2:] == ['--fg-threshold', '0.05']
    assert labels[labels.index('--list') + 1] == f'{LISTS}/train_aug.txt'
    assert stages['oaa'].inputs == [LISTS / 'train_cls.txt']
    (maps, *_) = stages['evaluation'].commands
    assert maps[maps.index('--masks') + 1] == f'{VOC}/SegmentationClassAug'
