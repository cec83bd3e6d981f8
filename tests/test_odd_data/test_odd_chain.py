"""Odd data sets from images to scores, by the commands.

Two tests run them as a user does, the others in this process, which is faster.
"""

import contextlib
import copy
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import DATASETS, MODELS
from odd_world import (
    CLASSES,
    ROOT,
    config_of,
    load_tool,
    masks,
    paint,
    save,
    table,
    truth,
    write,
)

from oaa_mm.attention import AttentionStore
from oaa_mm.datasets.entries import negatives_of
from oaa_mm.io import read_image, read_mask, write_mask
from oaa_mm.tags import load_classes

SIX = ('a', 'b', 'c', 'd', 'e', 'f')


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """mmengine waits 2 s for its workers between passes; here are none."""
    monkeypatch.setattr('mmengine.runner.loops.time.sleep', lambda _: None)


def run(place, tool, *options, expect=0):
    """Run a command in this process; what it prints, and its error."""
    options = [str(option) for option in options]
    text = io.StringIO()
    with contextlib.chdir(place), contextlib.redirect_stdout(text):
        try:
            code = load_tool(tool).main(options) or 0
        except (OSError, ValueError) as error:
            code = 1
            print(error)
    assert code == expect, text.getvalue()
    return ' '.join(text.getvalue().split())


def run_as_user(place, tool, *options, expect=0):
    """Run a command; what it prints, and its error."""
    command = [ROOT / f'tools/{tool}.py', *options]
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, command)],
        cwd=place,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == expect, result.stderr[-3000:]
    return ' '.join((result.stdout + result.stderr).split())


def config(root, dataset, **more):
    """A two-stage network, trained for two epochs on the CPU."""
    dataset = {
        'data_root': str(root),
        'data_prefix': {'img_path': 'images'},
        'metainfo': {'classes': CLASSES},
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'oaa_mm.PackImageLevelInputs'},
        ],
        **dataset,
    }
    loader = {
        'batch_size': 2,
        'num_workers': 0,
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'dataset': {'type': 'oaa_mm.ImageLevelDataset', **dataset},
    }
    loader['dataset'] = more.pop('joined', loader['dataset'])
    if isinstance(loader['dataset'], list):
        parts = [{**dataset, **part} for part in loader['dataset']]
        parts = [{'type': 'oaa_mm.ImageLevelDataset', **p} for p in parts]
        loader['dataset'] = {'type': 'ConcatDataset', 'datasets': parts}
    content = {
        'custom_imports': {'imports': ['oaa_mm']},
        'default_scope': 'mmseg',
        'work_dir': str(root / 'work'),
        'experiment_name': f'{root.name}_{id(root)}',
        'model': {
            'type': 'oaa_mm.CAMClassifier',
            'data_preprocessor': {'type': 'ImgDataPreprocessor'},
            'backbone': {
                'type': 'ResNet', 'depth': 18, 'base_channels': 8,
                'num_stages': 2, 'strides': (1, 2), 'dilations': (1, 1),
                'out_indices': (1,),
            },
            'head': {
                'type': 'oaa_mm.CAMHead', 'in_channels': 16,
                'num_classes': more.pop('num_classes', 2), 'num_convs': 0,
            },
        },
        'train_dataloader': loader,
        'train_cfg': {'by_epoch': True, 'max_epochs': 2},
        'optim_wrapper': {'optimizer': {'type': 'SGD', 'lr': 0.01}},
        'custom_hooks': [{'type': 'oaa_mm.OAAHook'}],
        'default_hooks': {'checkpoint': {'type': 'CheckpointHook'}},
        **more,
    }  # fmt: skip
    path = root / 'config.py'
    Config(content).dump(path)
    return path


def train_and_label(root, path, *names, classes=CLASSES, run=run):
    """Train, make pseudo-labels, and score them against the masks."""
    run(root, 'train', path)
    store = root / 'work/attention_epoch_2.safetensors'
    common = ['--classes', ','.join(classes)]
    run(
        root, 'make_pseudo_labels', store, '--img-dir',
        root / 'images', '--out', root / 'out', '--background', 'power',
        *common,
    )  # fmt: skip
    found = (root / 'out/train.txt').read_text().splitlines()
    assert found == sorted(names)
    text = run(
        root, 'evaluate', 'labels', root / 'out', '--masks',
        root / 'masks', '--list', root / 'out/train.txt', *common,
    )  # fmt: skip
    assert f'{len(names)} images' in text
    return AttentionStore.load(store)


def test_tif_images_and_png_masks_of_one_stem(tmp_path):
    paint(tmp_path, *(f'{n}.tif' for n in SIX))
    masks(tmp_path, *(f'{n}.png' for n in SIX))
    path = config(tmp_path, {'labels': 'masks', 'img_suffix': '.tif'})
    store = train_and_label(tmp_path, path, *SIX, run=run_as_user)
    assert list(store) == [(n, k % 2) for k, n in enumerate(SIX)]


def test_images_and_masks_in_one_folder(tmp_path):
    """The store knows which is the image; a folder alone does not."""
    paint(tmp_path, *(f'{n}.tif' for n in SIX))
    masks(tmp_path, *(f'{n}.png' for n in SIX), folder='images')
    masks(tmp_path, *(f'{n}.png' for n in SIX))
    table(tmp_path, *SIX)
    path = config(tmp_path, {'labels': 'tags.csv', 'img_suffix': '.tif'})
    run(tmp_path, 'train', path)
    command = (
        'make_pseudo_labels',
        tmp_path / 'work/attention_epoch_2.safetensors',
        '--img-dir', tmp_path / 'images', '--out', tmp_path / 'out',
        '--background', 'power', '--classes', 'cat,dog',
    )  # fmt: skip
    text = run(tmp_path, *command, expect=1)
    assert 'a.png' in text
    assert 'a.tif; list it with its suffix' in text
    write(tmp_path, 'list.txt', *(f'{n}.tif' for n in SIX))
    run(tmp_path, *command, '--list', tmp_path / 'list.txt')
    assert len(list((tmp_path / 'out/labels').glob('*.png'))) == 6
    store = tmp_path / 'work/attention_epoch_2.safetensors'
    own = ['--background', 'power', '--out', tmp_path / 'own']
    run(tmp_path, 'make_pseudo_labels', store, *own)
    for name in SIX:
        assert np.array_equal(
            read_mask(tmp_path / f'out/labels/{name}.png'),
            read_mask(tmp_path / f'own/labels/{name}.png'),
        )


def test_names_with_blanks_and_brackets_in_sub_folders(tmp_path):
    names = ['1031280-[1 0 0 1]', 'benign (1)', 'cat 0', 'b/000', 'b/001']
    names.append('a/000')
    paint(tmp_path, *(f'{n}.png' for n in names))
    masks(tmp_path, *(f'{n}.png' for n in names))
    path = config(tmp_path, {'labels': 'masks', 'img_suffix': '.png'})
    store = train_and_label(tmp_path, path, *names)
    assert store.image_ids == sorted(names)


#: One iteration of configs/own_segmentation.py for a test.
SMALL_DEEPLAB = [
    '--cfg-options',
    'train_dataloader.dataset.pipeline.2.scale=(64,64)',
    'train_dataloader.dataset.pipeline.3.crop_size=(32,32)',
    'train_dataloader.dataset.pipeline.6.size=(32,32)',
    'train_dataloader.batch_size=2',
    'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False',
    'model.pretrained=None',
    'model.backbone.base_channels=8',
    'model.decode_head.in_channels=256',
    'model.decode_head.c1_in_channels=32',
    'model.auxiliary_head.in_channels=128',
    'model.data_preprocessor.size=(32,32)',
    'train_cfg.max_iters=1',
]


def test_negatives_of_a_single_class(tmp_path, monkeypatch):
    """Polyp or not: no map, a label of background, and DeepLab on these."""
    paint(tmp_path, *(f'{n}.jpg' for n in SIX))
    rows = [f'{n},{int(n < "d")}' for n in SIX]
    write(tmp_path, 'tags.csv', 'image,polyp', *rows)
    for number, name in enumerate(SIX):
        mask = (truth(number) > 0) & (name < 'd')
        write_mask(tmp_path / f'masks/{name}.png', mask.astype(np.uint8))
    meta = {'classes': ('polyp',)}
    path = config(
        tmp_path, {'labels': 'tags.csv', 'metainfo': meta}, num_classes=1
    )
    store = train_and_label(tmp_path, path, *SIX, classes=['polyp'])
    assert store.image_ids == list('abc')
    assert store.negatives == list('def')
    for name in 'def':
        assert not read_mask(tmp_path / f'out/labels/{name}.png').any()
    text = run(
        tmp_path, 'evaluate', 'attention',
        tmp_path / 'work/attention_epoch_2.safetensors', '--masks',
        tmp_path / 'masks', '--list', tmp_path / 'out/train.txt',
        '--classes', 'polyp',
    )  # fmt: skip
    assert '6 images' in text
    check = ['check_dataset', '--config', path]
    assert '3 images have no class' in run(tmp_path, *check)
    monkeypatch.setenv('OWN_CLASSES', 'polyp')
    monkeypatch.setenv('OWN_LABELS', str(tmp_path / 'out'))
    path = ROOT / 'configs/own_segmentation.py'
    text = run(tmp_path, 'check_dataset', '--config', path)
    assert '6 images listed; found 6 images, 6 masks' in text
    work = tmp_path / 'deeplab'
    run(tmp_path, 'train', path, '--work-dir', work, *SMALL_DEEPLAB)
    weights = torch.load(work / 'iter_1.pth', weights_only=False)
    shape = weights['state_dict']['decode_head.conv_seg.weight'].shape
    assert shape[0] == 2  # background and polyp


def test_negatives_in_oaa_plus(tmp_path):
    """A negative has no map, and its target is zero everywhere."""
    paint(tmp_path, *(f'{n}.jpg' for n in SIX))
    rows = [f'{n},{int(n < "d")}' for n in SIX]
    write(tmp_path, 'tags.csv', 'image,polyp', *rows)
    store = AttentionStore()
    for name in 'abc':
        store[name, 0] = np.full((5, 7), 255, np.uint8)
    store.save(tmp_path / 'store.safetensors')
    load = {'type': 'oaa_mm.LoadAttentionMaps', 'store': 'store.safetensors'}
    entries = {
        'labels': 'tags.csv',
        'metainfo': {'classes': ('polyp',)},
        'pipeline': [
            {'type': 'LoadImageFromFile'}, load,
            {'type': 'oaa_mm.PackImageLevelInputs'},
        ],
    }  # fmt: skip
    path = config(tmp_path, entries, num_classes=1)
    cfg = Config.fromfile(path)
    cfg.model.type = 'oaa_mm.IntegralAttentionModel'
    cfg.custom_hooks = []
    cfg.train_dataloader.batch_size = 3
    cfg.train_dataloader.sampler.shuffle = False
    cfg.dump(path)
    run(tmp_path, 'train', path)
    assert (tmp_path / 'work/epoch_2.pth').is_file()


def test_class_balanced_sampling(tmp_path):
    paint(tmp_path, *(f'{n}.jpg' for n in SIX))
    rows = ['a,cat', 'b,dog', 'c,dog', 'd,dog', 'e,dog', 'f,']
    write(tmp_path, 'tags.csv', 'image,labels', *rows)
    dataset = config_of(tmp_path, {})
    balanced = DATASETS.build(
        {
            'type': 'ClassBalancedDataset',
            'oversample_thr': 0.67,
            'dataset': dataset,
        }
    )
    infos = [balanced.get_data_info(n) for n in range(len(balanced))]
    ids = [info['image_id'] for info in infos]
    assert ids.count('a') > 1
    assert set(ids) == set(SIX)
    assert negatives_of(infos) == ['f']


def polyps(root, on=1):
    """Six images, the first three of which have a polyp, and their masks."""
    paint(root, *(f'{n}.jpg' for n in SIX))
    for number, name in enumerate(SIX):
        mask = (truth(number) > 0) & (name < 'd')
        save(root / f'masks/{name}.png', mask.astype(np.uint8) * on)
    write(root, 'val.txt', *(f'{n} 0' if n < 'd' else n for n in SIX))


def test_masks_of_0_and_255_from_tags_to_scores(tmp_path):
    """One setting of the data set; the scores are those of 0 and 1."""
    polyps(tmp_path, 255)
    entries = {
        'labels': 'masks',
        'metainfo': {'classes': ('polyp',)},
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'masks'},
        'binary_masks': True,
    }
    path = config(tmp_path, entries, num_classes=1)
    cfg = Config.fromfile(path)
    cfg.test_dataloader = copy.deepcopy(cfg.train_dataloader)
    cfg.test_dataloader.sampler.shuffle = False
    cfg.test_dataloader.dataset.labels = None
    cfg.test_dataloader.dataset.ann_file = 'val.txt'
    cfg.test_cfg = {'type': 'TestLoop'}
    cfg.test_evaluator = {'type': 'oaa_mm.AttentionMetric'}
    cfg.dump(path)
    run(tmp_path, 'check_dataset', '--config', path)
    run(tmp_path, 'train', path)
    store = tmp_path / 'work/attention_epoch_2.safetensors'
    assert AttentionStore.load(store).image_ids == list('abc')
    # The store, and labels made of it, say what 255 means.
    evaluate = ['--masks', 'masks', '--list', 'val.txt']
    evaluate = ['evaluate', 'attention', store, *evaluate, '--allow-missing']
    assert 'polyp' in run(tmp_path, *evaluate)
    text = run(tmp_path, *evaluate, '--no-binary-masks', expect=1)
    assert 'masks/a.png: the mask holds only 0 and 255' in text
    run(
        tmp_path, 'make_pseudo_labels', store, '--background', 'power',
        '--out', 'out',
    )  # fmt: skip
    run(tmp_path, 'evaluate', 'labels', 'out', '--masks', 'masks')
    draw = ['visualize', 'strip', 'work', '--ids', 'a', '--out']
    run(tmp_path, *draw, '255')
    run(tmp_path, 'visualize', 'report', 'work', 'out')
    test = ['test', path, tmp_path / 'work/epoch_2.pth']
    # mmengine gives runs of one second and name one logger.
    name = ('--cfg-options', 'experiment_name=second')
    scores = [run(tmp_path, *test, name[0], 'experiment_name=first')]
    # Without the setting, all three refuse; the option is as good.
    del cfg.train_dataloader.dataset.binary_masks
    del cfg.test_dataloader.dataset.binary_masks
    cfg.dump(path)
    check = ['check_dataset', '--config', path]
    for command in (['train', path], check, test):
        text = run(tmp_path, *command, expect=1)
        assert 'masks/a.png: the mask holds only 0 and 255' in text
        assert '`binary_masks=True` in a data set' in text
    run(tmp_path, *check, '--binary-masks')
    scores.append(run(tmp_path, *test, '--binary-masks', *name))
    polyps(tmp_path, 1)
    run(tmp_path, *draw, '1')
    of_255, of_1 = (read_image(tmp_path / f'{n}/a.png') for n in (255, 1))
    assert np.array_equal(of_255, of_1)
    pages = [(tmp_path / 'work/report.html').read_text()]
    run(tmp_path, 'visualize', 'report', 'work', 'out')
    pages.append((tmp_path / 'work/report.html').read_text())
    pictures = [re.findall('data:image[^"]+', page) for page in pages]
    assert pictures[0] == pictures[1] != []
    name = ('--cfg-options', 'experiment_name=third')
    scores.append(run(tmp_path, *test, *name))
    found = [re.findall('attention/mIoU: ([0-9.]+)', text) for text in scores]
    assert found[0] == found[1] == found[2] != []


def test_masks_of_a_class_for_mmseg_s_own_loader(tmp_path):
    """LoadAnnotations and the metrics of mmseg read 255 as the class."""
    polyps(tmp_path, 255)
    entries = {
        'labels': 'masks',
        'metainfo': {'classes': ('polyp',)},
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'masks'},
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'LoadAnnotations'},
        ],
        'binary_masks': True,
    }
    sample = DATASETS.build(config_of(tmp_path, entries))[0]
    assert np.array_equal(sample['gt_seg_map'], (truth(0) > 0).astype(int))


def test_deep_masks_in_a_test_of_mmseg(tmp_path):
    """LoadAnnotations would wrap 257 and 258 to the classes 1 and 2."""
    paint(tmp_path, *(f'{n}.jpg' for n in SIX), folder='JPEGImages')
    masks(
        tmp_path,
        *(f'{n}.png' for n in SIX),
        folder='SegmentationClassAug',
        change=lambda mask: mask.astype(np.uint16),
    )
    write(tmp_path, 'ImageSets/Segmentation/val.txt', *SIX)
    path = ROOT / 'configs/toy/deeplabv3plus_r18_toy.py'
    model = MODELS.build(Config.fromfile(path).model)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'any.pth')
    test = [
        'test', path, tmp_path / 'any.pth', '--work-dir', tmp_path / 'work',
        '--cfg-options', f'test_dataloader.dataset.data_root={tmp_path}',
        'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
    ]  # fmt: skip
    assert 'mIoU: ' in run(tmp_path, *test)
    deep = np.where(truth(1), 258, 0).astype(np.uint16)
    save(tmp_path / 'SegmentationClassAug/b.png', deep)
    train = [
        'train', path, *test[3:6], 'train_dataloader.num_workers=0',
        f'train_dataloader.dataset.data_root={tmp_path}',
        'train_dataloader.persistent_workers=False',
        'train_dataloader.dataset.ann_file=ImageSets/Segmentation/val.txt',
        'train_dataloader.dataset.data_prefix.img_path=JPEGImages',
        'train_dataloader.dataset.data_prefix.seg_map_path='
        'SegmentationClassAug',
    ]  # fmt: skip
    for command in (test, train):
        text = run(tmp_path, *command, expect=1)
        assert 'SegmentationClassAug/b.png: the mask holds the value' in text


def test_binary_masks_of_other_data_sets():
    tool = load_tool('test')
    cfg = Config({'test_dataloader': {'dataset': {'type': 'ADE20KDataset'}}})
    with pytest.raises(ValueError, match='but test_dataloader has a ADE20K'):
        tool.read_binary_masks(cfg)


def join(root, **prefixes):
    """A config that joins the folders a and b, whose files are 000, 001."""
    parts = []
    for name in ('a', 'b'):
        paint(root, '000.jpg', '001.jpg', folder=f'images/{name}')
        masks(root, '000.png', '001.png', folder=f'masks/{name}')
        table(root, '000', '001', name=f'{name}.csv')
        part = {
            'labels': f'{name}.csv',
            'data_prefix': {'img_path': f'images/{name}'},
        }
        if name in prefixes:
            part['id_prefix'] = prefixes[name]
        parts.append(part)
    return config(root, {}, joined=parts)


def test_joined_sets_whose_names_clash_are_refused(tmp_path):
    path = join(tmp_path)
    # Else the equal images of this test would be found as well.
    save(tmp_path / 'images/b/000.jpg', np.full((20, 28, 3), 7, np.uint8))
    for tool in ('train', 'check_dataset'):
        option = ['--config'] if tool == 'check_dataset' else []
        text = run(tmp_path, tool, *option, path, expect=1)
        for word in (
            'images/a/000.jpg', 'images/b/000.jpg', "image id '000'",
            "ImageLevelDataset(id_prefix='a/')",
        ):  # fmt: skip
            assert word in text
    assert not list((tmp_path / 'work').glob('*.safetensors'))


def test_joined_sets_with_prefixes(tmp_path):
    path = join(tmp_path, a='a/', b='b/')
    names = ['a/000', 'a/001', 'b/000', 'b/001']
    store = train_and_label(tmp_path, path, *names)
    assert store.image_ids == names
    run(tmp_path, 'check_dataset', '--config', path)


def test_joined_sets_with_any_prefixes(tmp_path):
    """Prefixes that are no folders: the store knows the files."""
    path = join(tmp_path, a='first/', b='second/')
    for name in ('000', '001'):
        image = np.full((30, 40, 3), 90, np.uint8)
        save(tmp_path / f'images/b/{name}.jpg', image)
    run(tmp_path, 'train', path)
    store = tmp_path / 'work/attention_epoch_2.safetensors'
    own = ['--background', 'power', '--out', tmp_path / 'own']
    run(tmp_path, 'make_pseudo_labels', store, *own)
    for folder, size in {'first': (20, 28), 'second': (30, 40)}.items():
        for name in ('000', '001'):
            label = tmp_path / f'own/labels/{folder}/{name}.png'
            assert read_mask(label).shape == size
    # The images of the labels are in two folders.
    dataset = {'type': 'oaa_mm.PseudoLabelDataset', 'pipeline': []}
    dataset['pseudo_labels'] = str(tmp_path / 'own')
    assert len(DATASETS.build(dataset)) == 4
    path = tmp_path / 'deeplab.py'
    Config({'train_dataloader': {'dataset': dataset}}).dump(path)
    text = run(tmp_path, 'check_dataset', '--config', path)
    assert '4 images listed; found 4 images, 4 masks' in text
    for folder in ('labels', '..'):
        dataset['pseudo_labels'] = str(tmp_path / 'own' / folder)
        with pytest.raises(FileNotFoundError) as refusal:
            DATASETS.build(dataset)
        wrong = tmp_path / 'wrong.py'
        Config({'train_dataloader': {'dataset': dataset}}).dump(wrong)
        text = run(tmp_path, 'check_dataset', '--config', wrong, expect=1)
        assert ' '.join(str(refusal.value).split()) in text
    (tmp_path / 'images/b/000.jpg').unlink()
    text = run(tmp_path, 'check_dataset', '--config', path, expect=1)
    assert '1 of 4 listed images do not exist' in text
    assert 'images/b/000.jpg' in text


@pytest.mark.parametrize('command', ['evaluate', 'check_dataset'])
def test_masks_of_0_and_255_are_refused(tmp_path, command):
    paint(tmp_path, *(f'{n}.jpg' for n in SIX))
    masks(
        tmp_path,
        *(f'{n}.png' for n in SIX),
        change=lambda mask: (mask > 0).astype(np.uint8) * 255,
    )
    for number, name in enumerate(SIX):
        label = (truth(number) > 0).astype(np.uint8)
        write_mask(tmp_path / f'labels/{name}.png', label)
    write(tmp_path, 'val.txt', *SIX)
    options = {
        'evaluate': [
            'labels', 'labels', '--masks', 'masks', '--list', 'val.txt',
        ],
        'check_dataset': [
            '--data-root', '.', '--val-list', 'val.txt', '--img-dir',
            'images', '--mask-dir', 'masks',
        ],
    }[command]  # fmt: skip
    options = [*options, '--classes', 'polyp']
    text = run_as_user(tmp_path, command, *options, expect=1)
    assert 'a.png' in text
    assert '--binary-masks' in text
    text = run(tmp_path, command, *options, '--binary-masks')
    assert command == 'check_dataset' or '100.00' in text


@pytest.mark.parametrize(
    ('lines', 'expected'),
    [
        (['_background_', 'cat', 'dog'], CLASSES),
        (['__ignore__', '_background_', 'cat', 'dog'], CLASSES),
        (
            [
                '# label:color_rgb:parts:actions',
                'cat:48,112,32::', 'background:0,0,0::', 'dog:176,112,32::',
            ],
            CLASSES,
        ),
        (['cat', 'dog', 'background'], None),
        (['cat', '__background__'], None),
    ],
)  # fmt: skip
def test_names_of_the_background(tmp_path, capsys, lines, expected):
    write(tmp_path, 'classes.txt', *lines)
    path = str(Path(tmp_path) / 'classes.txt')
    if expected is None:
        with pytest.raises(ValueError, match=r'classes\.txt: .*leave back'):
            load_classes(path)
    else:
        assert load_classes(path) == expected
        assert 'is no class and was left out' in capsys.readouterr().out
