from __future__ import annotations

from pathlib import Path

import pytest

from oaa_mm.doctor.config import splits_from_config
from oaa_mm.tags import VOC_CLASSES

WEAK = """
train_dataloader = dict(dataset=dict(
    type='RepeatDataset', times=2, dataset=dict(
        type='oaa_mm.ImageLevelDataset',
        data_root='{root}',
        ann_file='lists/train.txt',
        labels='labels.npy',
        labels_format='npy',
        img_suffix='.png',
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        metainfo=dict(classes=('cat', 'dog')))))
val_dataloader = None
"""

VOC = """
train_dataloader = dict(dataset=dict(
    type='PascalVOCDataset',
    data_root='{root}',
    ann_file='train.txt',
    data_prefix=dict(img_path='JPEGImages', seg_map_path='pseudo')))
val_dataloader = dict(dataset=dict(
    type='oaa_mm.VOCImageLevelDataset',
    data_root='{root}',
    ann_file='/lists/val.txt',
    data_prefix=dict(img_path='JPEGImages')))
"""


CHOSEN = """
train_dataloader = dict(dataset=dict(
    type={kind!r},
    ann_file='train.txt',
    metainfo=dict(classes=('dog', 'cat'))))
"""


@pytest.fixture
def write(tmp_path):
    def write_config(text):
        path = tmp_path / 'config.py'
        path.write_text(text.format(root=tmp_path))
        return path

    return write_config


def test_weakly_supervised_config(write, tmp_path):
    (tmp_path / 'SaliencyMaps').mkdir()
    (train,), classes = splits_from_config(write(WEAK))
    assert classes == ('cat', 'dog')
    assert train.name == 'train'
    assert train.list_file == tmp_path / 'lists/train.txt'
    assert train.labels == tmp_path / 'labels.npy'
    assert train.labels_format == 'npy'
    assert train.img_dir == tmp_path / 'images'
    assert train.mask_dir == tmp_path / 'masks'
    assert train.saliency_dir == tmp_path / 'SaliencyMaps'
    assert (train.img_suffix, train.mask_suffix) == ('.png', '.png')
    assert train.needs == {'labels', 'saliency', 'classes'}


def test_config_of_mmseg_needs_masks_for_training(write, tmp_path):
    (train, val), classes = splits_from_config(write(VOC))
    # Without the background, which mmseg counts as a class.
    assert classes == VOC_CLASSES
    assert train.needs == {'masks'}
    assert train.mask_dir == tmp_path / 'pseudo'
    assert train.labels is None
    assert val.list_file == Path('/lists/val.txt')
    assert val.mask_dir is None


@pytest.mark.parametrize(
    ('kind', 'expected'),
    [
        # Files of VOC are about its 20 classes, whatever is chosen.
        ('oaa_mm.VOCImageLevelDataset', VOC_CLASSES),
        ('PascalVOCDataset', VOC_CLASSES),
        # Without classes of its own, a data set has those of the config.
        ('oaa_mm.ImageLevelDataset', ('dog', 'cat')),
        ('BaseSegDataset', ('dog', 'cat')),
    ],
)
def test_files_are_about_all_classes_of_a_data_set(tmp_path, kind, expected):
    path = tmp_path / 'config.py'
    path.write_text(CHOSEN.format(kind=kind))
    assert splits_from_config(path)[1] == expected


def test_options_override_the_config(write, tmp_path):
    key = 'train_dataloader.dataset'
    options = {
        f'{key}.dataset.data_root': '/elsewhere',
        f'{key}.dataset.labels': str(tmp_path / 'tags.csv'),
    }
    (train,), _ = splits_from_config(write(WEAK), options)
    assert train.img_dir == Path('/elsewhere/images')
    assert train.list_file == Path('/elsewhere/lists/train.txt')
    assert train.labels == tmp_path / 'tags.csv'
    assert train.labels_format == 'npy'


JOINED = """
part = dict(type='oaa_mm.VOCImageLevelDataset', id_prefix='a/')
other = dict(type='RepeatDataset', times=2, dataset=dict(
    type='oaa_mm.VOCImageLevelDataset'))
train_dataloader = dict(
    dataset=dict(type='ConcatDataset', datasets=[part, other]))
"""


def test_joined_data_sets(write):
    splits, _ = splits_from_config(write(JOINED))
    assert [s.name for s in splits] == ['train 1', 'train 2']
    assert [s.id_prefix for s in splits] == ['a/', '']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('model = dict()', 'neither train_dataloader nor val_dataloader'),
        (
            "val_dataloader = dict(dataset=dict(type='Nonsense'))",
            r"val_dataloader\.dataset\.type is 'Nonsense'",
        ),
    ],
)
def test_configs_that_cannot_be_checked(write, text, message):
    with pytest.raises(ValueError, match=message):
        splits_from_config(write(text))


def test_absent_config(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'config .*no\.py'):
        splits_from_config(tmp_path / 'no.py')
