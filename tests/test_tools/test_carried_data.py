"""The tools take the files and classes that a training has recorded."""

import importlib.util
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DATA_SET, record_data
from oaa_mm.io import read_mask, voc_colormap, write_image, write_mask
from oaa_mm.registry import DATASETS

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
STORE = 'work_dirs/own/attention_epoch_15.safetensors'
#: Image id -> its file and height and width.
IMAGES = {
    '0001': ('data/own/images/0001.jpg', (24, 32)),
    '0002': ('data/own/images/0002.PNG', (32, 24)),
    'deep/0001': ('data/own/images/deep/0001.jpg', (20, 20)),
}
CLASSES = ['cat', 'dog']


def run(command):
    """Run ``python tools/NAME.py ...`` as a user types it."""
    python, path, *argv = shlex.split(command)
    assert python == 'python'
    name = Path(path).name
    spec = importlib.util.spec_from_file_location(
        f'tool_{Path(name).stem}', TOOLS / name
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(argv)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project after its training, whose folder of images has a decoy."""
    monkeypatch.chdir(tmp_path)
    store = AttentionStore()
    files, masks = {}, {}
    for number, (image_id, (path, size)) in enumerate(IMAGES.items()):
        pixels = np.full((*size, 3), 40 * number + 60, np.uint8)
        write_image(path, pixels)
        files[image_id] = path
        attention = np.zeros((4, 4), np.uint8)
        attention[:, :2] = 255
        store[image_id, number % 2] = attention
        mask = np.zeros(size, np.uint8)
        mask[:, : size[1] // 2] = number % 2 + 1
        masks[image_id] = f'data/own/masks/{image_id}.png'
        write_mask(masks[image_id], mask)
    # Another file of the same id, which no tool may take for the image.
    write_mask('data/own/images/0001.png', np.zeros((9, 9), np.uint8))
    store.metadata[DATA_SET] = record_data(
        files, 'work_dirs/own', masks=masks, classes=CLASSES
    )
    store.save(STORE)
    return tmp_path


LABELS = f'python tools/make_pseudo_labels.py {STORE} --background power'


def check_labels(folder):
    names = (folder / 'train.txt').read_text().split()
    assert names == sorted(IMAGES)
    for image_id, (_, size) in IMAGES.items():
        assert read_mask(folder / f'labels/{image_id}.png').shape == size


@pytest.mark.parametrize('store', [STORE, 'work_dirs/own'])
def test_pseudo_labels(place, capsys, store):
    assert not run(LABELS.replace(STORE, store))
    out = place / 'work_dirs/pseudo_labels/own'
    check_labels(out)
    assert 'wrote work_dirs/pseudo_labels/own' in capsys.readouterr().out
    assert 'cat' in json.loads((out / 'summary.json').read_text())['share']
    record = json.loads((out / 'manifest.json').read_text())['data_set']
    assert record['classes'] == CLASSES
    assert [g['root'] for g in record['images']] == [
        str(place / 'data/own/images')
    ] * 2


def test_pseudo_labels_of_moved_images(place):
    (place / 'data/own').rename(place / 'data/new')
    with pytest.raises(FileNotFoundError, match=r'3 of 3 .*0001.*--img-dir'):
        run(LABELS)
    (place / 'data/new/images/0001.png').unlink()
    assert not run(f'{LABELS} --img-dir data/new/images')
    check_labels(place / 'work_dirs/pseudo_labels/own')


def test_pseudo_labels_in_a_moved_project(place, monkeypatch):
    new = place / 'there/project'
    new.mkdir(parents=True)
    for name in ('data', 'work_dirs'):
        (place / name).rename(new / name)
    monkeypatch.chdir(new)
    assert not run(LABELS)
    check_labels(new / 'work_dirs/pseudo_labels/own')


def test_a_store_without_a_record_names_the_option(place):
    store = AttentionStore.load(STORE)
    del store.metadata[DATA_SET]
    store.save(STORE)
    with pytest.raises(FileNotFoundError, match=r'epoch_15.*--img-dir'):
        run(LABELS)
    with pytest.raises(FileNotFoundError, match=r'work_dirs/own.*--img-dir'):
        run('python tools/visualize.py strip work_dirs/own --random 8')


def test_strips(place, capsys):
    assert not run('python tools/visualize.py strip work_dirs/own --random 8')
    assert '3 strips of epochs 15 in work_dirs/own/strips' in (
        capsys.readouterr().out
    )
    for image_id, (_, (height, width)) in IMAGES.items():
        path = place / f'work_dirs/own/strips/{image_id}.png'
        with Image.open(path) as strip:  # the image, M and the mask
            assert strip.width >= 3 * int(200 * width / height)


def test_report(place, capsys):
    assert not run('python tools/visualize.py report work_dirs/own')
    assert 'with 3 images' in capsys.readouterr().out
    page = (place / 'work_dirs/own/report.html').read_text(encoding='utf-8')
    assert 'dog' in page
    assert '--img-dir' not in page
    assert '--masks' not in page


@pytest.mark.parametrize('store', [STORE, 'work_dirs/own'])
def test_scores_of_maps(place, store):
    command = f'python tools/evaluate.py attention {store}'
    assert not run(f'{command} --masks data/own/masks --json scores.json')
    scores = json.loads((place / 'scores.json').read_text())
    assert scores['classes'] == CLASSES
    assert scores['stores'][0]['best']['mIoU'] > 0.9


def test_scores_of_labels(place):
    run(LABELS)
    command = 'python tools/evaluate.py labels work_dirs/pseudo_labels/own'
    assert not run(f'{command} --masks data/own/masks --json scores.json')
    scores = json.loads((place / 'scores.json').read_text())
    assert scores['classes'] == CLASSES
    assert scores['folders'][0]['drop']['mIoU'] > 0.9


def labelled(**kwargs):
    """The data set that learns from the labels, by one option."""
    return DATASETS.build(
        dict(
            type='oaa_mm.PseudoLabelDataset',
            pseudo_labels='work_dirs/pseudo_labels/own',
            **kwargs,
        )
    )


def test_a_data_set_of_labels(place):
    run(LABELS)
    dataset = labelled(data_prefix={'img_path': 'of other labels'})
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [info['img_path'] for info in infos] == [
        str(place / path) for path, _ in IMAGES.values()
    ]
    labels = place / 'work_dirs/pseudo_labels/own/labels'
    assert [info['seg_map_path'] for info in infos] == [
        str(labels / f'{image_id}.png') for image_id in IMAGES
    ]
    assert dataset.metainfo['classes'] == ['background', *CLASSES]
    assert dataset.metainfo['palette'] == voc_colormap(3).tolist()


def test_a_data_set_of_labels_that_are_not_there(place):
    with pytest.raises(FileNotFoundError, match=r'own is not .*pseudo_labels'):
        labelled()
    run(LABELS)
    (place / 'data/own').rename(place / 'data/new')
    with pytest.raises(FileNotFoundError, match=r'3 of 3 .*dataset\.img_dir'):
        labelled()
    (place / 'data/new/images/0001.png').unlink()
    assert len(labelled(img_dir='data/new/images')) == 3
    (place / 'work_dirs/pseudo_labels/own/train.txt').unlink()
    with pytest.raises(FileNotFoundError, match=r'train\.txt is absent'):
        labelled()


def test_a_data_set_of_labels_of_another_kind(place):
    (place / 'list.txt').write_text('deep/0001\n')
    prefix = {'img_path': 'data/own/images', 'seg_map_path': 'data/own/masks'}
    dataset = labelled(
        ann_file='list.txt',
        data_prefix=prefix,
        metainfo={'classes': ['background', 'a']},
    )
    (info,) = (dataset.get_data_info(i) for i in range(len(dataset)))
    assert info['img_path'] == 'data/own/images/deep/0001.jpg'
    assert info['seg_map_path'] == 'data/own/masks/deep/0001.png'
    assert dataset.metainfo['classes'] == ['background', 'a']
