from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from oaa_mm.tags import (
    COCO_CATEGORY_IDS,
    COCO_CLASSES,
    VOC_CLASSES,
    LabelTable,
    load_classes,
)
from oaa_mm.tags.table import multi_hot

ROOT = Path(__file__).resolve().parents[2]


def test_indices_become_sorted_and_unique():
    table = LabelTable({'a': [7, np.int64(2), 7], 'b': ()}, None)
    assert table.labels == {'a': (2, 7), 'b': ()}
    assert type(table.labels['a'][0]) is int
    assert len(table) == 2


def test_table_keeps_no_reference_to_its_input():
    source = {'a': [1]}
    table = LabelTable(source)
    source['b'] = [2]
    assert list(table.labels) == ['a']


def test_wrong_image_ids_are_refused():
    with pytest.raises(ValueError, match=r"image id 'a\.\.b'"):
        LabelTable({'a..b': (0,)})


@pytest.mark.parametrize(
    ('indices', 'message'),
    [
        ([-1], "image 'a': class index -1 is negative"),
        ([0, 2], 'class index 2 is out of range; there are 2 classes, 0 to 1'),
        ([0.0], 'should be integers'),
        (['0'], 'should be integers'),
        ([True, False], 'should be integers'),
        (np.array([True, False]), 'should be integers'),
    ],
)
def test_wrong_indices_are_refused(indices, message):
    with pytest.raises(ValueError, match=message):
        LabelTable({'a': indices}, ('cat', 'dog'))


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        ((), 'non-empty'),
        (('cat', ''), 'non-empty'),
        (('cat', 'dog', ' cat'), r"repeated names: \['cat'\]"),
        (('Background', 'cat'), 'leave background out'),
        ('cat', r"write \('cat',\)"),
        (('cat', 3), 'got 3'),
        (('a\nb',), 'line of text'),
    ],
)
def test_wrong_classes_are_refused(classes, message):
    with pytest.raises(ValueError, match=message):
        LabelTable({}, classes)


def test_multi_hot():
    assert multi_hot([2, 0], 4).tolist() == [1, 0, 1, 0]
    assert multi_hot((), 1).tolist() == [0]
    assert multi_hot([1], 2).dtype == np.uint8


def test_class_lists_equal_those_of_the_configs():
    for name, classes in {'voc12': VOC_CLASSES, 'coco': COCO_CLASSES}.items():
        path = ROOT / f'configs/_base_/datasets/{name}_pseudo_labels.py'
        assert classes == tuple(Config.fromfile(path).classes[1:])


def test_coco_category_ids():
    # Known pairs: person 1, dog 18, backpack 27, dining table 67, toilet 70,
    # tv 72, toothbrush 90.
    ids = dict(zip(COCO_CLASSES, COCO_CATEGORY_IDS, strict=True))
    names = ['person', 'dog', 'backpack', 'toilet', 'tv', 'toothbrush']
    assert [ids[name] for name in names] == [1, 18, 27, 70, 72, 90]
    assert ids['dining table'] == 67
    assert list(COCO_CATEGORY_IDS) == sorted(set(COCO_CATEGORY_IDS))


def test_load_classes(tmp_path):
    assert load_classes('voc') is VOC_CLASSES
    assert load_classes('coco') is COCO_CLASSES
    assert load_classes('cat, traffic light') == ('cat', 'traffic light')
    assert load_classes('cat') == ('cat',)
    path = tmp_path / 'names.txt'
    path.write_text('cat\n\ntraffic light\r\n')
    assert load_classes(str(path)) == ('cat', 'traffic light')
    with pytest.raises(FileNotFoundError, match=r'nothing.txt'):
        load_classes('nothing.txt')
    with pytest.raises(ValueError, match=r'class names cat,cat: .*repeated'):
        load_classes('cat,cat')
    path.write_bytes(b'\xff\xfe')
    with pytest.raises(ValueError, match=r'names.txt is not UTF-8'):
        load_classes(str(path))
