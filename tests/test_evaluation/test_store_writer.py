"""The store that a test writes, and what it knows of the images."""

import numpy as np
import pytest
import torch

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DataRecord
from oaa_mm.registry import METRICS


def sample(image_id, path, *classes):
    label = torch.zeros(2, dtype=torch.uint8)
    label[list(classes)] = 1
    return {
        'image_id': image_id,
        'img_path': path,
        'seg_map_path': None,
        'gt_label': label,
        'attention': {'data': torch.ones(len(classes), 2, 3)},
        'attention_classes': torch.tensor(classes, dtype=torch.int64),
    }


def write(path, *samples):
    writer = METRICS.build(
        {'type': 'oaa_mm.AttentionStoreWriter', 'out_file': str(path)}
    )
    writer.dataset_meta = {'classes': ('cat', 'dog')}
    writer.process(None, samples)
    return writer.evaluate(len(samples))


def test_maps_files_and_negatives(tmp_path):
    path = tmp_path / 'a.safetensors'
    samples = sample('a', '/d/a.jpg', 1), sample('b', '/d/b.jpg')
    result = write(path, *samples)
    assert result == {'store/maps': 1.0, 'store/coverage': 100.0}
    store = AttentionStore.open(path)
    np.testing.assert_array_equal(store['a', 1], np.full((2, 3), 255))
    assert list(store.negatives) == ['b']
    record = DataRecord.of_stores([store], path)
    assert record.images.file_of('a') == '/d/a.jpg'
    assert record.classes == ('cat', 'dog')
    assert not record.masks


def test_two_images_of_one_id_are_refused(tmp_path):
    path = tmp_path / 'a.safetensors'
    samples = sample('a', '/d/a.jpg', 1), sample('a', '/e/a.jpg', 0)
    with pytest.raises(ValueError, match=r'/d/a\.jpg and /e/a\.jpg both'):
        write(path, *samples)
    assert not path.exists()
