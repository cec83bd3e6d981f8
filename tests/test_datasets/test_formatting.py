"""Packing images with their labels."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from oaa_mm.attention import Placement
from oaa_mm.datasets import PackImageLevelInputs


@pytest.fixture
def results():
    rng = np.random.default_rng(0)
    return {
        'img': rng.integers(0, 256, (6, 9, 3), dtype=np.uint8),
        'image_id': '2007_000032',
        'img_path': 'JPEGImages/2007_000032.jpg',
        'placement': Placement(frame=(6, 9)),
        'gt_label': np.array([0, 1, 1], np.uint8),
        'ori_shape': (12, 18),
        'img_shape': (6, 9),
        'scale_factor': (0.5, 0.5),
        'flip': False,
        'flip_direction': None,
        'reduce_zero_label': False,
        'label_map': {0: 0, 1: 255, 2: 1},
        'height': 12,
    }


def test_inputs_and_label(results):
    packed = PackImageLevelInputs()(results)
    assert set(packed) == {'inputs', 'data_samples'}
    assert packed['inputs'].dtype == torch.uint8
    assert np.array_equal(
        packed['inputs'].numpy(), results['img'].transpose(2, 0, 1)
    )
    label = packed['data_samples'].gt_label
    assert label.dtype == torch.uint8
    assert label.tolist() == [0, 1, 1]


def test_metainfo_has_what_the_hook_and_the_metrics_need(results):
    sample = PackImageLevelInputs()(results)['data_samples']
    expected = {
        key: value
        for key, value in results.items()
        if key not in ('img', 'gt_label', 'height')
    }
    assert sample.metainfo == expected


def test_images_without_label_have_no_field(results):
    del results['gt_label']
    sample = PackImageLevelInputs()(results)['data_samples']
    assert 'gt_label' not in sample
    assert sample.image_id == '2007_000032'


def test_masks_are_packed_as_mmseg_does(results):
    results['gt_seg_map'] = np.full((6, 9), 255, np.uint8)
    sample = PackImageLevelInputs()(results)['data_samples']
    assert sample.gt_sem_seg.data.shape == (1, 6, 9)
    assert sample.gt_sem_seg.data.dtype == torch.int64


def test_greyscale_images_get_a_channel(results):
    results['img'] = results['img'][..., 0]
    assert PackImageLevelInputs()(results)['inputs'].shape == (1, 6, 9)


def test_flipped_views_are_packed(results):
    results['img'] = results['img'][:, ::-1]  # negative strides
    inputs = PackImageLevelInputs()(results)['inputs']
    assert inputs.is_contiguous()
    assert np.array_equal(inputs.numpy(), results['img'].transpose(2, 0, 1))


def test_meta_keys_can_be_chosen(results):
    pack = PackImageLevelInputs(meta_keys=('image_id',))
    assert pack(results)['data_samples'].metainfo == {
        'image_id': '2007_000032'
    }


def test_samples_are_collated_and_moved(results):
    pack = PackImageLevelInputs()
    batch = pseudo_collate([pack(dict(results)), pack(dict(results))])
    assert [s.image_id for s in batch['data_samples']] == ['2007_000032'] * 2
    moved = batch['data_samples'][0].to('meta')
    assert moved.gt_label.device.type == 'meta'
    assert moved.placement == Placement(frame=(6, 9))
