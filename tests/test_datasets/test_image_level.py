"""What data sets with image-level labels give."""

import cv2
import numpy as np
import pytest
from small_dataset import (
    CLASSES,
    LABELS,
    PIPELINE,
    build,
    labels_of,
    write_csv,
    write_list,
    write_masks,
    write_npy,
    write_xml,
)

from oaa_mm.attention import Placement
from oaa_mm.datasets import ImageLevelDataset, VOCImageLevelDataset
from oaa_mm.registry import DATASETS
from oaa_mm.tags import VOC_CLASSES


def test_entries_hold_path_id_label_and_size(folder):
    dataset = build(folder, pipeline=PIPELINE)
    assert len(dataset) == 4
    info = dataset.get_data_info(1)
    assert info['image_id'] == 'b'
    assert info['img_path'] == str(folder / 'images/b.jpg')
    assert info['gt_label'].tolist() == [0, 1, 1]
    assert info['gt_label'].dtype == np.uint8
    assert (info['height'], info['width']) == (16, 24)
    assert info['input_size'] == (8, 12)
    assert 'seg_map_path' not in info


def test_samples_are_packed_without_any_mask_on_disk(folder):
    sample = build(folder, pipeline=PIPELINE)[2]
    assert sample['inputs'].shape == (3, 8, 14)
    assert sample['data_samples'].gt_label.tolist() == [1, 0, 1]
    assert sample['data_samples'].image_id == 'c'
    assert sample['data_samples'].ori_shape == (16, 28)
    assert sample['data_samples'].placement == Placement(frame=(8, 14))
    assert 'gt_sem_seg' not in sample['data_samples']


@pytest.mark.parametrize(
    'write', [write_xml, write_npy, write_csv, write_masks]
)
def test_labels_come_from_any_form(folder, write):
    labels = write(folder)
    write_list(folder, ['c', 'a'], 'some.txt')
    assert labels_of(build(folder, 'some.txt', labels=labels)) == {
        'c': LABELS['c'],
        'a': LABELS['a'],
    }
    # Without a list, all images of the labels; absolute paths work too.
    labels = str(folder / labels)
    assert labels_of(build(folder, '', labels=labels)) == LABELS


def test_classes_may_come_from_the_labels(folder):
    dataset = build(folder, '', labels=write_csv(folder), metainfo=None)
    assert dataset.metainfo['classes'] == CLASSES
    assert dataset.metainfo['palette'] == [
        [128, 0, 0],
        [0, 128, 0],
        [128, 128, 0],
    ]
    test = build(
        folder, '', labels='labels.csv', metainfo=None, test_mode=True
    )
    assert test.metainfo['classes'] == CLASSES


def test_a_palette_that_is_given_is_kept(folder):
    palette = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    meta = {'classes': CLASSES, 'palette': palette}
    assert build(folder, metainfo=meta).metainfo['palette'] == palette
    dataset = build(
        folder, '', labels=write_csv(folder), metainfo={'palette': palette}
    )
    assert dataset.metainfo['palette'] == palette


def test_more_classes_than_a_mask_has_values(folder):
    names = [f'class {number}' for number in range(300)]
    dataset = build(folder, metainfo={'classes': names})
    assert len(dataset.metainfo['palette']) == 300
    assert dataset.get_data_info(0)['gt_label'].shape == (300,)


@pytest.mark.parametrize(
    'lines',
    [
        ['/images/a.jpg 0', 'images/b.jpg 1 2'],  # folders of the data set
        ['a.jpg 0', 'b.jpg 1 2'],
        ['../elsewhere/a.jpg 0', 'b 2 1 1'],
        ['# a comment', '', 'a 0  # the first', 'b 1 2'],
        ['\ufeffa 0', 'b 1 2\r'],  # as Windows writes it
    ],
)
def test_names_in_the_list_may_have_folders_and_suffixes(folder, lines):
    write_list(folder, lines)
    dataset = build(folder)
    assert labels_of(dataset) == {'a': (0,), 'b': (1, 2)}
    paths = [dataset.get_data_info(n)['img_path'] for n in range(2)]
    assert paths == [str(folder / f'images/{i}.jpg') for i in 'ab']


def test_sub_folders_and_other_suffixes_of_listed_files(folder):
    (folder / 'images/deep').mkdir()
    image = np.zeros((4, 4, 3), np.uint8)
    cv2.imwrite(str(folder / 'images/deep/x.jpg'), image)
    cv2.imwrite(str(folder / 'images/y.png'), image)
    cv2.imwrite(str(folder / 'images/scan.v2.jpg'), image)
    write_list(folder, ['deep/x 0', 'y.png 1', 'scan.v2 2', 'scan#1 2'])
    cv2.imwrite(str(folder / 'images/scan#1.jpg'), image)
    dataset = build(folder)
    assert list(labels_of(dataset)) == ['deep/x', 'y', 'scan.v2', 'scan#1']
    assert dataset.get_data_info(0)['img_path'].endswith('images/deep/x.jpg')
    assert dataset.get_data_info(1)['img_path'].endswith('images/y.png')


def test_mask_paths_only_where_there_are_masks(folder):
    write_masks(folder)
    (folder / 'masks/b.png').unlink()
    prefix = {'img_path': 'images', 'seg_map_path': 'masks'}
    dataset = build(folder, data_prefix=prefix)
    paths = [dataset.get_data_info(n).get('seg_map_path') for n in range(4)]
    assert paths[1] is None
    assert paths[0] == str(folder / 'masks/a.png')


def test_images_in_the_root_need_no_prefix(folder):
    masks = write_masks(folder)
    write_list(folder, ['images/a 0'])
    dataset = build(folder, data_prefix={'seg_map_path': masks})
    info = dataset.get_data_info(0)
    assert info['img_path'] == str(folder / 'images/a.jpg')
    assert info['seg_map_path'] == str(folder / 'masks/a.png')


def test_masks_are_loaded_with_class_c_as_c_plus_1(folder):
    write_masks(folder)
    pipeline = [
        {'type': 'LoadImageFromFile'},
        {'type': 'LoadAnnotations'},
        {'type': 'oaa_mm.PackImageLevelInputs'},
    ]
    prefix = {'img_path': 'images', 'seg_map_path': 'masks'}
    sample = build(folder, data_prefix=prefix, pipeline=pipeline)[0]
    mask = sample['data_samples'].gt_sem_seg.data
    assert set(mask.unique().tolist()) == {0, 1, 255}


class AntBeeCow(ImageLevelDataset):
    METAINFO = {
        'classes': CLASSES,
        'palette': [[1, 0, 0], [2, 0, 0], [3, 0, 0]],
    }


def test_chosen_classes_map_labels_and_masks(folder):
    write_masks(folder)
    dataset = AntBeeCow(
        'train.txt',
        data_root=str(folder),
        data_prefix={'img_path': 'images', 'seg_map_path': 'masks'},
        metainfo={'classes': ('cow', 'bee')},
    )
    # Cow is now 0, bee 1; image a has neither.
    assert labels_of(dataset) == {'b': (0, 1), 'c': (0,), 'd': (0,)}
    assert dataset.get_data_info(0)['gt_label'].shape == (2,)
    assert dataset.metainfo['palette'] == [[3, 0, 0], [2, 0, 0]]
    # Ant (1) is ignored, bee (2) is class 1 -> 2, cow (3) class 0 -> 1.
    assert dataset.get_data_info(0)['label_map'] == {0: 0, 1: 255, 2: 2, 3: 1}


def test_voc_is_the_same_with_its_classes(folder):
    dataset = VOCImageLevelDataset(
        'train.txt',
        data_root=str(folder),
        data_prefix={'img_path': 'images'},
    )
    assert dataset.metainfo['classes'] == VOC_CLASSES
    assert dataset.metainfo['palette'][0] == [128, 0, 0]
    assert dataset.metainfo['palette'][19] == [0, 64, 128]
    assert dataset.get_data_info(0)['gt_label'].shape == (20,)
    kind = {'type': 'VOCImageLevelDataset'}
    chosen = DATASETS.build(
        {
            **kind,
            'ann_file': 'train.txt',
            'data_root': str(folder),
            'data_prefix': {'img_path': 'images'},
            'metainfo': {'classes': ['bicycle']},
        }
    )
    assert labels_of(chosen) == {'b': (0,)}
