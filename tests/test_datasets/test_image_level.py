"""Data sets with image-level labels: what they give and what they refuse."""

import pickle

import cv2
import numpy as np
import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset, pseudo_collate
from torch.utils.data import DataLoader

from oaa_mm.attention import Placement
from oaa_mm.datasets import ImageLevelDataset, VOCImageLevelDataset
from oaa_mm.labels import VOC_CLASSES
from oaa_mm.registry import DATASETS

CLASSES = ('ant', 'bee', 'cow')
#: Image id -> classes; sizes are 16 pixels high and 20 and more wide.
LABELS = {'a': (0,), 'b': (1, 2), 'c': (0, 2), 'd': (2,)}
PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'ResizeShortestEdge', 'scale': 8, 'max_size': 100},
    {'type': 'oaa_mm.PackImageLevelInputs'},
]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / 'images').mkdir()
    for number, image_id in enumerate(LABELS):
        image = rng.integers(0, 256, (16, 20 + 4 * number, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f'images/{image_id}.jpg'), image)
    write_list(tmp_path, [f'{i} {" ".join(map(str, c))}' for i, c in
                          LABELS.items()])  # fmt: skip
    return tmp_path


def write_list(folder, lines, name='train.txt'):
    (folder / name).write_text('\n'.join(lines) + '\n', encoding='utf-8')


def build(folder, ann_file='train.txt', **kwargs):
    kwargs.setdefault('metainfo', {'classes': CLASSES})
    kwargs.setdefault('data_prefix', {'img_path': 'images'})
    return ImageLevelDataset(ann_file, data_root=str(folder), **kwargs)


def labels_of(dataset):
    infos = [dataset.get_data_info(n) for n in range(len(dataset))]
    return {
        info['image_id']: tuple(np.flatnonzero(info['gt_label']))
        for info in infos
    }


def multi_hot(classes):
    row = np.zeros(len(CLASSES), np.uint8)
    row[list(classes)] = 1
    return row


# What it gives.


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


def write_xml(folder):
    (folder / 'xml').mkdir()
    for image_id, classes in LABELS.items():
        objects = ''.join(
            f'<object><name>{CLASSES[c]}</name></object>' for c in classes
        )
        text = f'<annotation>{objects}</annotation>'
        (folder / f'xml/{image_id}.xml').write_text(text)
    return 'xml'


def write_npy(folder):
    table = {i: multi_hot(c).astype(np.float32) for i, c in LABELS.items()}
    np.save(folder / 'labels.npy', table)
    return 'labels.npy'


def write_csv(folder):
    rows = [','.join(map(str, (i, *multi_hot(c)))) for i, c in LABELS.items()]
    head = ','.join(('image', *CLASSES))
    (folder / 'labels.csv').write_text('\n'.join([head, *rows]) + '\n')
    return 'labels.csv'


def write_masks(folder):
    (folder / 'masks').mkdir()
    for image_id, classes in LABELS.items():
        mask = np.zeros((16, 20), np.uint8)
        for row, c in enumerate(classes):
            mask[row] = c + 1
        mask[-1] = 255
        cv2.imwrite(str(folder / f'masks/{image_id}.png'), mask)
    return 'masks'


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
    assert list(labels_of(dataset)) == ['x', 'y', 'scan.v2', 'scan#1']
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


def test_chosen_classes_map_labels_and_masks(folder, caplog):
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


# How it fits into mmengine.


def test_indices_take_a_part(folder):
    assert list(labels_of(build(folder, indices=2))) == ['a', 'b']
    assert list(labels_of(build(folder, indices=[3, 0]))) == ['d', 'a']


def test_lazy_data_sets_load_when_asked(folder):
    dataset = build(folder, lazy_init=True)
    write_list(folder, ['d 2'])
    dataset.full_init()
    assert labels_of(dataset) == {'d': (2,)}


@pytest.mark.parametrize('serialize', [True, False])
def test_entries_are_not_shared_between_accesses(folder, serialize):
    dataset = build(folder, serialize_data=serialize, pipeline=PIPELINE)
    dataset.get_data_info(0)['gt_label'][:] = 1
    assert dataset.get_data_info(0)['gt_label'].tolist() == [1, 0, 0]
    first, again = dataset[0], dataset[0]
    assert first['data_samples'].metainfo == again['data_samples'].metainfo


def test_unlabelled_images_in_test_mode(folder):
    write_list(folder, ['a', 'c'])
    dataset = build(folder, test_mode=True, pipeline=PIPELINE)
    assert len(dataset) == 2
    assert 'gt_label' not in dataset.get_data_info(0)
    assert 'gt_label' not in dataset[1]['data_samples']
    assert dataset[1]['data_samples'].image_id == 'c'


def test_inside_of_other_data_sets(folder):
    one = build(folder, pipeline=PIPELINE)
    other = build(folder, pipeline=PIPELINE, indices=[0])
    joined = ConcatDataset([one, other])
    assert len(joined) == 5
    assert joined[4]['data_samples'].image_id == 'a'
    repeated = RepeatDataset(one, times=3)
    assert len(repeated) == 12
    assert repeated[5]['data_samples'].image_id == 'b'


def test_pickled_and_back(folder):
    dataset = pickle.loads(pickle.dumps(build(folder, pipeline=PIPELINE)))
    assert labels_of(dataset) == LABELS
    assert dataset[0]['data_samples'].placement.frame == (8, 10)


@pytest.mark.parametrize('context', ['fork', 'spawn'])
def test_loaded_by_workers(folder, context):
    loader = DataLoader(
        build(folder, pipeline=PIPELINE),
        batch_size=2,
        num_workers=2,
        collate_fn=pseudo_collate,
        multiprocessing_context=context,
    )
    batches = list(loader)
    ids = [s.image_id for b in batches for s in b['data_samples']]
    assert ids == list(LABELS)
    assert batches[1]['inputs'][1].shape == (3, 8, 16)


def test_flips_are_recorded_and_sizes_known_after_all_resizes(folder):
    pipeline = [
        PIPELINE[0],
        {'type': 'Resize', 'scale_factor': 2.0, 'keep_ratio': True},
        {'type': 'RandomFlip', 'prob': 1.0},
        {'type': 'ResizeToMultiple', 'size_divisor': 32},
        PIPELINE[-1],
    ]
    dataset = build(folder, pipeline=pipeline)
    for number in range(len(dataset)):
        sample = dataset[number]
        size = dataset.get_data_info(number)['input_size']
        assert sample['inputs'].shape[1:] == size
        assert sample['data_samples'].placement.flip_horizontal


def test_real_images(voc_mini):
    dataset = VOCImageLevelDataset(
        'ImageSets/Segmentation/train_cls.txt',
        data_root=str(voc_mini),
        data_prefix={'img_path': 'JPEGImages'},
        pipeline=PIPELINE,
        indices=20,
    )
    for number in range(20):
        sample = dataset[number]
        info = dataset.get_data_info(number)
        assert sample['data_samples'].ori_shape == (
            info['height'],
            info['width'],
        )
        assert sample['inputs'].shape[1:] == info['input_size']
        assert sample['data_samples'].gt_label.sum() >= 1


# What it refuses.


def refused(error, match, folder, *args, **kwargs):
    with pytest.raises(error, match=match):
        build(folder, *args, **kwargs)


def test_absent_data_root(folder):
    refused(
        FileNotFoundError,
        r"data_root '.*/gone' is not a folder.*train_dataloader",
        folder / 'gone',
    )


def test_absent_list(folder):
    refused(
        FileNotFoundError,
        r"ann_file '.*gone\.txt' does not exist",
        folder,
        'gone.txt',
    )


def test_absent_labels(folder):
    refused(
        FileNotFoundError, r'gone\.npy does not exist', folder,
        labels='gone.npy',
    )  # fmt: skip


@pytest.mark.parametrize('lines', [[], ['', '# nothing', '']])
@pytest.mark.parametrize('test_mode', [False, True])
def test_empty_list(folder, lines, test_mode):
    write_list(folder, lines)
    match = r'train\.txt: the list names no image|needs image-level labels'
    refused(ValueError, match, folder, test_mode=test_mode)
    write_npy(folder)
    match = r'train\.txt: the list names no image'
    refused(ValueError, match, folder, labels='labels.npy')


@pytest.mark.parametrize('second', ['a', 'a.jpg', 'other/a.png'])
def test_ids_listed_twice(folder, second):
    write_list(folder, ['a', 'b', second])
    match = r"train\.txt, line 3: image id 'a' was already listed"
    refused(ValueError, match, folder, test_mode=True)


def test_ids_listed_twice_with_labels(folder):
    write_list(folder, ['a 0', 'b 1', 'a 0'])
    refused(ValueError, r"train\.txt.*'a'", folder)


def test_list_that_is_no_text(folder):
    (folder / 'train.txt').write_bytes(b'\xff\xfe\x00a')
    refused(ValueError, r'train\.txt is not UTF-8', folder)


def test_absent_images_are_counted_and_named(folder):
    write_list(folder, ['a 0', 'x 1', 'y 2'])
    match = r'2 of 3 listed images do not exist: .*images/x\.jpg.*img_suffix'
    refused(FileNotFoundError, match, folder)


def test_many_absent_images_are_shortened(folder):
    write_list(folder, [f'x{n} 0' for n in range(30)])
    refused(FileNotFoundError, r'x9\.jpg and 20 more', folder)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_truncated_images_are_named(folder, suffix):
    path = folder / f'images/z{suffix}'
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    cv2.imwrite(str(path), noise.astype(np.uint8))
    path.write_bytes(path.read_bytes()[:-500])
    write_list(folder, ['z 0'])
    match = rf'1 of 1 listed images cannot be used: .*z\{suffix}: not a read'
    refused(ValueError, match, folder, img_suffix=suffix)


def test_one_pixel_high_images_are_named(folder):
    cv2.imwrite(str(folder / 'images/z.jpg'), np.zeros((1, 9, 3), np.uint8))
    write_list(folder, ['a 0', 'z 0'])
    refused(ValueError, r'z\.jpg: 9x1 pixels', folder)


def test_unchecked_images_are_found_out_when_they_are_loaded(folder):
    (folder / 'images/a.jpg').write_bytes(b'nothing')
    dataset = build(folder, check_images=False, pipeline=PIPELINE)
    assert 'input_size' not in dataset.get_data_info(0)
    with pytest.raises(ValueError, match=r'a\.jpg: cannot be read'):
        dataset[0]
    (folder / 'images/a.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match=r'a\.jpg: cannot be read'):
        dataset[0]
    (folder / 'images/a.jpg').unlink()
    with pytest.raises(ValueError, match=r'a\.jpg: cannot be read'):
        dataset[0]


@pytest.mark.parametrize('test_mode', [False, True])
def test_class_index_out_of_range(folder, test_mode):
    write_list(folder, ['a 0', 'b 3'])
    match = r'train\.txt, line 2: class index 3 .*0 to 2'
    refused(ValueError, match, folder, test_mode=test_mode)


def test_class_that_is_no_index(folder):
    write_list(folder, ['a SegmentationClass/a.png'])
    match = r"train\.txt, line 1: 'SegmentationClass/a\.png'"
    refused(ValueError, match, folder)


def test_listed_image_without_entry_in_the_labels(folder):
    labels = write_npy(folder)
    write_list(folder, ['a', 'x', 'y'])
    match = r'labels\.npy: 2 listed images have no entry.*: x, y'
    refused(ValueError, match, folder, labels=labels)


def test_listed_image_without_any_class(folder):
    write_list(folder, ['a 0', 'b'])
    match = r'train\.txt: 1 listed images have no class.*: b'
    refused(ValueError, match, folder)


def test_labels_that_hold_no_image(folder):
    (folder / 'labels.csv').write_text('image,ant,bee,cow\n')
    write_list(folder, ['a', 'b'])
    match = r'labels\.csv.*(no entry|no image|no row)'
    refused(ValueError, match, folder, labels='labels.csv')


def test_no_labels_given(folder):
    write_list(folder, ['a', 'b'])
    refused(ValueError, 'ImageLevelDataset needs image-level labels', folder)


def test_no_classes_given(folder):
    for test_mode in (False, True):
        refused(
            ValueError,
            'ImageLevelDataset: name the classes',
            folder,
            metainfo=None,
            test_mode=test_mode,
        )


def test_unknown_classes_of_the_labels(folder):
    labels = write_xml(folder)
    match = r"xml/b\.xml: unknown class 'bee'; allowed are ant, cow"
    meta = {'classes': ('ant', 'cow')}
    refused(ValueError, match, folder, labels=labels, metainfo=meta)


def test_unknown_classes_chosen(folder):
    with pytest.raises(ValueError, match='not a subset'):
        VOCImageLevelDataset(
            'train.txt',
            data_root=str(folder),
            metainfo={'classes': ('unicorn',)},
        )


def test_chosen_classes_that_no_image_has(folder):
    with pytest.raises(ValueError, match=r'no listed image.*sheep'):
        VOCImageLevelDataset(
            'train.txt',
            data_root=str(folder),
            data_prefix={'img_path': 'images'},
            metainfo={'classes': ('sheep',)},
        )


def test_pipelines_that_cannot_be_undone(folder):
    pipeline = [PIPELINE[0], {'type': 'RandomRotate', 'prob': 1, 'degree': 9}]
    refused(ValueError, 'transform RandomRotate', folder, pipeline=pipeline)
