"""COCO's instances to masks: painted values, classes, resuming, errors."""

import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from toy import toy_sample

from oaa_mm.doctor import check_dataset
from oaa_mm.doctor.config import splits_from_config
from oaa_mm.io import read_mask
from oaa_mm.tags import read_labels

mask_api = pytest.importorskip(
    'pycocotools.mask', reason='pycocotools is an extra (`oaa_mm[coco]`)'
)
TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(TOOLS / 'make_coco_masks.py'))['main']


@pytest.fixture(scope='module')
def toy(main, tmp_path_factory):
    """Two dozen toy images and their masks."""
    root = tmp_path_factory.mktemp('toy_coco')
    make = runpy.run_path(str(TOOLS / 'make_toy_voc.py'))['main']
    make([str(root), '--coco', '--num-train', '16', '--num-val', '8'])
    for split in ('train', 'val'):
        main([str(root / f'annotations/instances_{split}2017.json')])
    return root


def box(x0, y0, x1, y1):
    """The polygon around the pixels [y0:y1, x0:x1]."""
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def instances(folder, *annotations, **image):
    """A file of an image of 6 x 8 pixels and one without any object."""
    entry = {'id': 5, 'file_name': 'a/000.jpg', 'height': 6, 'width': 8}
    entry.update(image)
    empty = {'id': 6, 'file_name': '001.jpg', 'height': 3, 'width': 2}
    content = {
        'images': [entry, empty],
        'annotations': [
            {'id': n, 'image_id': 5, **annotation}
            for n, annotation in enumerate(annotations, 1)
        ],
        'categories': [
            {'id': 90, 'name': 'dog'},
            {'id': 7, 'name': 'cat'},
        ],
    }
    path = folder / 'annotations/instances_val2017.json'
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


CAT = {'category_id': 7, 'segmentation': [box(0, 0, 4, 4)]}
DOG = {'category_id': 90, 'segmentation': [box(2, 2, 4, 3), box(6, 0, 8, 1)]}


@pytest.mark.parametrize('order', [1, -1])
def test_small_objects_lie_on_large_ones(main, tmp_path, order, capsys):
    main([str(instances(tmp_path, *[CAT, DOG][::order]))])
    expected = np.zeros((6, 8), np.uint8)
    expected[:4, :4] = 1  # category 7, the first by number
    expected[2, 2:4] = 2
    expected[0, 6:8] = 2
    mask = read_mask(tmp_path / 'masks/val2017/a/000.png', 2)
    assert np.array_equal(mask, expected)
    empty = read_mask(tmp_path / 'masks/val2017/001.png')
    assert np.array_equal(empty, np.zeros((3, 2)))
    assert 'wrote 2 masks of 2 classes' in capsys.readouterr().out


def run_lengths(pixels, kind):
    size = list(pixels.shape)
    if kind == 'compressed':
        runs = mask_api.encode(np.asfortranarray(pixels.astype(np.uint8)))
        return {'size': size, 'counts': runs['counts'].decode()}
    counts, value = [0], False
    for pixel in pixels.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {'size': size, 'counts': counts}


@pytest.mark.parametrize('kind', ['compressed', 'counts'])
def test_crowds_are_ignored_below_all_objects(main, tmp_path, kind):
    pixels = np.random.default_rng(3).random((6, 8)) < 0.4
    outline = run_lengths(pixels, kind)
    crowd = {'category_id': 90, 'iscrowd': 1, 'segmentation': outline}
    main([str(instances(tmp_path, CAT, crowd))])
    expected = np.where(pixels, 255, 0)
    expected[:4, :4] = 1
    mask = read_mask(tmp_path / 'masks/val2017/a/000.png')
    assert np.array_equal(mask, expected)


def test_classes_in_another_order(main, tmp_path):
    path = instances(tmp_path, CAT)
    main([str(path), '--classes', 'dog,cat', '--out', str(tmp_path / 'x')])
    assert read_mask(tmp_path / 'x/a/000.png')[0, 0] == 2


def test_toy_masks_are_those_that_were_painted(toy):
    """Polygons lose half of the outermost pixels; run lengths none."""
    masks = sorted((toy / 'masks/train2017').glob('*.png'))
    assert len(masks) == 16
    for index, path in enumerate(masks[:-1]):
        sample = toy_sample(0, 'train', index)
        mask = read_mask(path, 6)
        if index % 8 == 3:
            crowd = sample.instances == len(sample.objects)
            assert np.array_equal(mask == 255, crowd)
            sample.mask[crowd] = 255
        assert (mask == sample.mask).mean() > 0.98
        outside = (mask != 0) & (sample.mask == 0)
        assert outside.mean() < 0.01  # holes, which polygons do not have
    assert not read_mask(masks[-1]).any()


@pytest.mark.parametrize('split', ['train2017', 'val2017'])
def test_tags_and_masks_count_classes_alike(toy, split):
    path = toy / f'annotations/instances_{split}.json'
    tags = read_labels(path)
    masks = read_labels(toy / 'masks' / split, classes=tags.classes)
    crowds = {
        f'{note["image_id"]:012d}'
        for note in json.loads(path.read_text())['annotations']
        if note['iscrowd']
    }
    assert crowds
    assert set(masks.labels) == set(tags.labels)
    for image_id, classes in tags.labels.items():
        in_mask = masks.labels[image_id]
        assert in_mask == classes or image_id in crowds
        assert set(in_mask) <= set(classes)
    assert sum(not classes for classes in tags.labels.values()) == 1


def test_the_doctor_finds_the_toy_set_complete(toy):
    configs = TOOLS.parent / 'configs/toy'
    options = {
        f'{part}_dataloader.dataset.data_root': str(toy)
        for part in ('train', 'val')
    }
    splits, classes = splits_from_config(
        configs / 'oaa_r18_toy_coco.py', options
    )
    found = check_dataset(splits, classes=classes)
    left_out = [f for f in found if 'training leaves them out' in f.message]
    assert [finding.items for finding in left_out] == [
        ('000000000016',),
        ('000000500008',),
    ]
    options['train_dataloader'] = None
    del options['train_dataloader.dataset.data_root']
    splits, classes = splits_from_config(
        configs / 'deeplabv3plus_r18_toy_coco.py', options
    )
    found += check_dataset(splits, classes=classes)
    assert '8 images, 8 masks' in str(found)
    assert {finding.severity for finding in found} == {'info'}


def test_finished_masks_are_kept(main, tmp_path, capsys):
    path = instances(tmp_path, CAT)
    main([str(path)])
    kept, damaged = (
        tmp_path / 'masks/val2017' / name for name in ('001.png', 'a/000.png')
    )
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:40])
    os.utime(kept, ns=(1, 1))
    main([str(path)])
    assert 'wrote 1 masks of 2 classes' in capsys.readouterr().out
    assert damaged.read_bytes() == whole
    assert kept.stat().st_mtime_ns == 1


def test_masks_of_another_file_are_not_mixed(main, tmp_path):
    main([str(instances(tmp_path, CAT))])
    path = instances(tmp_path, DOG)
    with pytest.raises(ValueError, match=r'made differently(.|\n)*instances'):
        main([str(path)])
    with pytest.raises(ValueError, match='parameter classes'):
        main([str(path), '--classes', 'dog,cat'])
    main([str(path), '--overwrite'])
    assert read_mask(tmp_path / 'masks/val2017/a/000.png').max() == 2
    (tmp_path / 'masks/val2017/manifest.json').unlink()
    with pytest.raises(ValueError, match='2 PNG files, but no'):
        main([str(path)])


@pytest.mark.parametrize(
    ('outline', 'message'),
    [
        ([], 'no outline'),
        (None, 'no outline'),
        ([[1, 2, 3, 4, 5]], 'a polygon should be'),
        ([[1, 2, 3, 4, 5, float('nan')]], 'a polygon should be'),
        ([[1, 2, 3, 4, 5, 1e9]], 'a polygon should be'),
        ({'size': [8, 6], 'counts': [48]}, 'of an image of 6 x 8 pixels'),
        ({'size': [6, 8], 'counts': [47]}, 'of an image of 6 x 8 pixels'),
        ({'size': [6, 8], 'counts': [-1, 49]}, 'of an image of 6 x 8 pixels'),
        ({'size': [6, 8], 'counts': 'oooooo1'}, 'of an image of 6 x 8 pixels'),
    ],
)
def test_outlines_that_cannot_be_painted(main, tmp_path, outline, message):
    path = instances(tmp_path, CAT, {**DOG, 'segmentation': outline})
    with pytest.raises(ValueError, match=message) as caught:
        main([str(path)])
    assert f'{path}: annotation 2 of image 5: ' in str(caught.value)


def test_images_without_size(main, tmp_path):
    path = instances(tmp_path, CAT, height=0)
    with pytest.raises(ValueError, match="image 'a/000' has no `height`"):
        main([str(path)])
    assert not (tmp_path / 'masks').exists()


def test_without_pycocotools(main, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pycocotools.mask', None)
    with pytest.raises(ValueError, match=r'pip install "oaa_mm\[coco\]"'):
        main([str(instances(tmp_path, CAT))])


def test_a_smaller_toy_set_replaces_a_larger_one(tmp_path):
    make = runpy.run_path(str(TOOLS / 'make_toy_voc.py'))['main']
    out = tmp_path / 'toy'
    for number in ('3', '2'):
        make([str(out), '--coco', '--num-train', number, '--num-val', '1'])
    names = sorted(path.name for path in (out / 'train2017').iterdir())
    assert names == ['000000000001.jpg', '000000000002.jpg']
    foreign = tmp_path / 'coco/train2017'
    foreign.mkdir(parents=True)
    with pytest.raises(ValueError, match='holds no toy data set'):
        make([str(foreign.parent), '--coco'])
