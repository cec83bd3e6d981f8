"""How data sets with image-level labels fit into mmengine."""

import pickle

import pytest
from mmengine.dataset import ConcatDataset, RepeatDataset, pseudo_collate
from small_dataset import LABELS, PIPELINE, build, labels_of, write_list
from torch.utils.data import DataLoader

from oaa_mm.datasets import VOCImageLevelDataset


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
