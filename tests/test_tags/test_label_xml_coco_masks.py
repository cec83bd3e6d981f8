from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger
from PIL import Image

from oaa_mm.tags import COCO_CATEGORY_IDS, COCO_CLASSES, VOC_CLASSES
from oaa_mm.tags.formats.coco import read_coco
from oaa_mm.tags.formats.list_file import read_list
from oaa_mm.tags.formats.masks import read_masks
from oaa_mm.tags.formats.voc_xml import read_voc_xml

VOC_MINI = Path(__file__).resolve().parents[2] / '../shared/data/voc_mini'


def write(path, text):
    path.write_text(text, encoding='utf-8')
    return path


# ---- voc_xml


def annotation(*objects):
    return f'<annotation><folder>VOC</folder>{"".join(objects)}</annotation>'


def voc_object(name, difficult=0):
    part = '<part><name>head</name></part>'
    return (
        f'<object><name>{name}</name><difficult>{difficult}</difficult>'
        f'{part}</object>'
    )


def test_voc_xml(tmp_path):
    write(
        tmp_path / '2007_000032.xml',
        annotation(
            voc_object('person'), voc_object('cat', 1), voc_object('person')
        ),
    )
    write(tmp_path / 'empty.xml', annotation())
    write(tmp_path / '._empty.xml', 'by-product')
    write(tmp_path / 'notes.txt', 'not read')
    table = read_voc_xml(tmp_path)
    assert table.labels == {'2007_000032': (7, 14), 'empty': ()}
    assert table.classes == VOC_CLASSES
    own = read_voc_xml(tmp_path, classes=('cat', 'person'))
    assert own.labels['2007_000032'] == (0, 1)


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (
            '<!DOCTYPE a><annotation/>'.encode('utf-16'),
            'a.xml cannot be read as XML: it holds a DOCTYPE',
        ),
        (b'<annotation><object>', 'a.xml cannot be read as XML'),
        (b'', 'a.xml cannot be read as XML'),
        (b'<html></html>', 'a.xml is not a VOC annotation.* <html>'),
        (annotation(voc_object('cta')).encode(), "'cta'; allowed are aero"),
        (annotation('<object/>').encode(), "unknown class ''"),
    ],
)
def test_voc_xml_errors(tmp_path, data, message):
    (tmp_path / 'a.xml').write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_voc_xml(tmp_path)


def test_folders_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match=r'holds no \.xml file'):
        read_voc_xml(tmp_path)
    with pytest.raises(FileNotFoundError, match='no folder .*gone'):
        read_masks(tmp_path / 'gone')
    path = write(tmp_path / 'a.xml', annotation())
    with pytest.raises(FileNotFoundError, match=r'no folder .*a\.xml'):
        read_voc_xml(path)


# ---- coco

COCO = {
    'images': [
        {'id': 9, 'file_name': 'train2014/COCO_train2014_000000000009.jpg'},
        {'id': 25, 'file_name': '000000000025.jpg'},
        {'id': 30, 'file_name': '000000000030.jpg'},
    ],
    'annotations': [
        {'image_id': 9, 'category_id': 18},
        {'image_id': 25, 'category_id': 44, 'iscrowd': 1},
        {'image_id': 9, 'category_id': 1},
        {'image_id': 9, 'category_id': 18},
    ],
    'categories': [
        {'id': 44, 'name': 'bottle'},
        {'id': 1, 'name': 'person'},
        {'id': 18, 'name': 'dog'},
    ],
}


def changed(**parts):
    return {**COCO, **parts}


def test_coco_orders_classes_by_category_id(tmp_path):
    path = write(tmp_path / 'a.json', json.dumps(COCO))
    table = read_coco(path)
    assert table.classes == ('person', 'dog', 'bottle')
    assert table.labels == {
        'train2014/COCO_train2014_000000000009': (0, 1),
        '000000000025': (2,),
        '000000000030': (),
    }


def test_coco_by_names(tmp_path):
    path = write(tmp_path / 'a.json', json.dumps(COCO))
    labels = read_coco(path, classes=COCO_CLASSES).labels
    assert labels['train2014/COCO_train2014_000000000009'] == (0, 16)
    assert labels['000000000025'] == (39,)


def test_coco_ids_become_0_to_79(tmp_path):
    numbers = zip(COCO_CATEGORY_IDS, COCO_CLASSES, strict=True)
    categories = [{'id': i, 'name': name} for i, name in numbers]
    notes = [{'image_id': 30, 'category_id': 90}]
    data = changed(categories=categories[::-1], annotations=notes)
    path = write(tmp_path / 'a.json', json.dumps(data))
    table = read_coco(path)
    assert table.classes == COCO_CLASSES
    assert table.labels['000000000030'] == (79,)


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        ([], "no list 'images'"),
        (changed(annotations=None), "no list 'annotations'"),
        (changed(images=[{'id': 1}]), r"images\[0\] has no 'file_name'"),
        (changed(categories=['cat']), r"categories\[0\] has no 'id' of type"),
        (
            changed(annotations=[{'image_id': 1, 'category_id': 1}]),
            r'annotations\[0\]: no image has id 1',
        ),
        (
            changed(annotations=[{'image_id': 9, 'category_id': 2}]),
            r'annotations\[0\]: no category has id 2',
        ),
        (
            changed(categories=COCO['categories'] * 2),
            'category id 44 occurs twice',
        ),
        (changed(images=COCO['images'] * 2), 'image 9 occurs twice'),
        (
            changed(
                images=[
                    {'id': 9, 'file_name': 'train/x.jpg'},
                    {'id': 25, 'file_name': 'train\\x.png'},
                ]
            ),
            "image 'train/x' occurs twice",
        ),
        (changed(categories=[]), 'classes should be non-empty'),
    ],
)
def test_coco_errors(tmp_path, data, message):
    path = write(tmp_path / 'a.json', json.dumps(data))
    with pytest.raises(ValueError, match=message) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)


def test_coco_category_outside_of_classes(tmp_path):
    path = write(tmp_path / 'a.json', json.dumps(COCO))
    with pytest.raises(ValueError, match=r"unknown class 'bottle'; .* person"):
        read_coco(path, classes=('person', 'dog', 'cow'))


def test_coco_categories_are_selected(tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance(str(tmp_path), log_file=str(log))
    path = write(tmp_path / 'a.json', json.dumps(COCO))
    table, all_ = read_coco(path, classes=('person',)), read_coco(path)
    assert table.classes == ('person',)
    assert 'a.json: the classes ' in log.read_text()
    person = all_.classes.index('person')
    for image_id, indices in all_.labels.items():
        assert table.labels[image_id] == ((0,) if person in indices else ())


# ---- masks


def save_mask(path, values, mode='P'):
    array = np.zeros((6, 5), np.uint8)
    array.flat[: len(values)] = values
    image = Image.fromarray(array)
    if mode == 'P':
        # Colours unlike the indices show whether indices are read.
        image.putpalette([(7 * i + 3) % 256 for i in range(768)])
    image.save(path)


def test_masks(tmp_path):
    save_mask(tmp_path / 'palette.png', [0, 255, 8, 15, 8])
    save_mask(tmp_path / 'grey.PNG', [1, 20], mode='L')
    save_mask(tmp_path / 'empty.png', [0, 255])
    assert read_masks(tmp_path, classes=VOC_CLASSES).labels == {
        'palette': (7, 14),
        'grey': (0, 19),
        'empty': (),
    }
    assert read_masks(tmp_path).classes is None


def test_mask_value_254_is_the_last_class(tmp_path):
    save_mask(tmp_path / 'a.png', [254])
    assert read_masks(tmp_path).labels == {'a': (253,)}


def test_mask_errors_name_the_file(tmp_path):
    save_mask(tmp_path / 'a.png', [3])
    with pytest.raises(
        ValueError, match=r'a\.png: the mask holds the value 3, .* 1 to 2'
    ):
        read_masks(tmp_path, classes=('cat', 'dog'))


@pytest.mark.skipif(
    not VOC_MINI.is_dir(), reason='no voc_mini beside the repo'
)
def test_masks_of_real_images_agree_with_the_authors_list():
    # The authors' list was made from masks: same labels are expected.
    listed = read_list(VOC_MINI / 'ImageSets/Segmentation/val_cls.txt')
    table = read_masks(VOC_MINI / 'SegmentationClassAug', classes=VOC_CLASSES)
    assert len(listed) == 200
    for image_id, indices in listed.labels.items():
        assert table.labels[image_id] == indices
