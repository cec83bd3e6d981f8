from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy import TOY_CLASSES, make_toy_voc

from oaa_mm.io import write_mask

SCRIPT = Path(__file__).resolve().parents[2] / 'tools/check_dataset.py'
LISTS = 'ImageSets/Segmentation'
TRAIN = ['--train-list', f'{LISTS}/train_cls.txt']

CONFIG = """
train_dataloader = dict(dataset=dict(
    type='oaa_mm.ImageLevelDataset',
    data_root={root!r},
    ann_file='ImageSets/Segmentation/train_aug.txt',
    labels='Annotations',
    data_prefix=dict(
        img_path='JPEGImages', seg_map_path='SegmentationClassAug'),
    metainfo=dict(classes={classes!r})))
"""


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(SCRIPT))['main']


@pytest.fixture
def toy(tmp_path):
    return make_toy_voc(tmp_path / 'toy', num_train=6, num_val=1)


@pytest.fixture
def config(toy, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format(root=str(toy), classes=TOY_CLASSES))
    return path


def test_good_data_set(main, toy, capsys):
    options = [*TRAIN, '--val-list', f'{LISTS}/val.txt', '--workers', '1']
    assert main(['--data-root', str(toy), *options]) == 0
    out = capsys.readouterr().out
    assert '0 errors, 0 warnings' in out
    # Class names come from the root's classes.txt.
    assert 'owl' in out


def test_error_fails_and_warning_does_not(main, toy, tmp_path, capsys):
    options = ['--data-root', str(toy), *TRAIN]
    names = [*TOY_CLASSES, 'unseen']
    assert main([*options, '--classes', ','.join(names)]) == 0
    assert '0 errors, 1 warning' in capsys.readouterr().out
    (toy / 'JPEGImages/train_0002.jpg').unlink()
    out = tmp_path / 'found.json'
    assert main([*options, '--json', str(out)]) == 1
    first = json.loads(out.read_text())['findings'][0]
    assert first['severity'] == 'error'
    assert first['items'] == [str(toy / 'JPEGImages/train_0002.jpg')]


def test_config(main, toy, config):
    assert main(['--config', str(config)]) == 0
    (toy / 'Annotations/train_0003.xml').unlink()
    assert main(['--config', str(config)]) == 1


def test_config_with_other_saliency(main, toy, config):
    options = ['--config', str(config), '--saliency-dir']
    assert main([*options, str(toy / 'SaliencyMaps')]) == 0
    assert main([*options, str(toy / 'JPEGImages')]) == 1


def test_chosen_classes_of_voc(main, tmp_path, capsys):
    # Dog (11) and cat (7) are chosen; the files know cow (9) as well.
    root = tmp_path / 'voc'
    for folder in ('JPEGImages', 'SegmentationClassAug'):
        (root / folder).mkdir(parents=True)
    for image_id, label in {'a': 7, 'b': 11, 'c': 9}.items():
        color = (10 * label, 50, 90)
        image = Image.new('RGB', (8, 6), color)
        image.save(root / f'JPEGImages/{image_id}.jpg')
        mask = np.full((6, 8), label + 1, np.uint8)
        write_mask(root / f'SegmentationClassAug/{image_id}.png', mask)
    (root / 'train.txt').write_text('a 7\nb 11\nc 9\n')
    text = CONFIG.format(root=str(root), classes=('dog', 'cat'))
    text = text.replace('ImageLevelDataset', 'VOCImageLevelDataset')
    text = text.replace('ImageSets/Segmentation/train_aug.txt', 'train.txt')
    path = tmp_path / 'config.py'
    path.write_text(text.replace("    labels='Annotations',\n", ''))
    assert main(['--config', str(path)]) == 0
    assert 'cat 1, chair 0, cow 1' in capsys.readouterr().out
    (root / 'train.txt').write_text('a 7\nb 11\nc 20\n')
    assert main(['--config', str(path)]) == 1
    assert 'there are 20' in capsys.readouterr().out


def test_config_with_options(main, toy, config):
    moved = toy.rename(toy.parent / 'moved')
    assert main(['--config', str(config)]) == 1
    root = f'train_dataloader.dataset.data_root={moved}'
    assert main(['--config', str(config), '--cfg-options', root]) == 0
    options = [root, 'train_dataloader.dataset.labels=no.csv']
    options += ['--json', str(toy.parent / 'found.json')]
    assert main(['--config', str(config), '--cfg-options', *options]) == 1
    (first, *_) = json.loads(Path(options[-1]).read_text())['findings']
    assert f'{moved}/no.csv does not exist' in first['message']


def test_options_need_a_config(main, toy):
    options = ['--data-root', str(toy), *TRAIN, '--cfg-options', 'a=1']
    with pytest.raises(ValueError, match='give --config in place of'):
        main(options)


def test_config_says_the_layout_itself(main, config):
    with pytest.raises(ValueError, match='--img-dir cannot be combined'):
        main(['--config', str(config), '--img-dir', 'images'])


def test_mistake_ends_in_one_line(toy):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), '--data-root', str(toy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith('error: there is nothing to check')
    assert 'Traceback' not in done.stderr
