"""COCO's instances JSON to training samples, by the shipped configs."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from oaa_mm.registry import DATASETS
from oaa_mm.tags import COCO_CATEGORY_IDS, COCO_CLASSES

#: File name -> category ids of its annotations, with crowds and repeats.
IMAGES = {
    '000000000009': [1, 90, 90],
    '000000000025': [13],
    '000000000030': [],  # as one COCO image in a hundred
    '000000000034': [27, 1],
}


@pytest.fixture(scope='module')
def coco(tmp_path_factory):
    root = tmp_path_factory.mktemp('coco')
    rng = np.random.default_rng(0)
    for split in ('train2017', 'val2017'):
        (root / split).mkdir()
        (root / 'annotations').mkdir(exist_ok=True)
        annotations = []
        for image_id, categories in IMAGES.items():
            pixels = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            cv2.imwrite(str(root / split / f'{image_id}.jpg'), pixels)
            annotations += [
                {
                    'id': len(annotations) + n,
                    'image_id': int(image_id),
                    'category_id': category,
                    'iscrowd': n,
                }
                for n, category in enumerate(categories)
            ]
        content = {
            'images': [
                {'id': int(i), 'file_name': f'{i}.jpg'} for i in IMAGES
            ],
            'annotations': annotations,
            'categories': [
                {'id': number, 'name': name}
                for number, name in zip(
                    COCO_CATEGORY_IDS, COCO_CLASSES, strict=True
                )
            ],
        }
        path = root / f'annotations/instances_{split}.json'
        path.write_text(json.dumps(content))
    return root


def load_config(root, coco, name):
    cfg = Config.fromfile(root / f'configs/{name}.py')
    for part in ('train', 'val', 'test'):
        cfg[f'{part}_dataloader'].dataset.data_root = str(coco)
    return cfg


@pytest.mark.parametrize('part', ['train', 'val', 'test'])
def test_categories_become_80_classes(root, coco, part, caplog):
    cfg = load_config(root, coco, 'oaa_vgg16_coco')
    dataset = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
    found = {}
    for index in range(len(dataset)):
        sample = dataset[index]['data_samples']
        assert sample.gt_label.shape == (80,)
        found[sample.image_id] = sample.gt_label.nonzero()[:, 0].tolist()
    # Ids 1, 13, 27 and 90 of COCO; 12 and 26, for example, are not used.
    names = ['person', 'stop sign', 'backpack', 'toothbrush']
    person, stop_sign, backpack, toothbrush = map(COCO_CLASSES.index, names)
    assert (person, stop_sign, backpack, toothbrush) == (0, 11, 24, 79)
    assert found == {
        '000000000009': [person, toothbrush],
        '000000000025': [stop_sign],
        '000000000034': [person, backpack],
    }
    assert len(dataset.metainfo['palette']) == 80


def test_images_without_a_class_are_negatives_unless_filtered(root, coco):
    cfg = load_config(root, coco, 'oaa_vgg16_coco').train_dataloader.dataset
    filtered = DATASETS.build(cfg)
    cfg.filter_cfg = None
    dataset = DATASETS.build(cfg)
    assert len(dataset) == len(filtered) + 1
    infos = map(dataset.get_data_info, range(len(dataset)))
    sums = [int(info['gt_label'].sum()) for info in infos]
    assert sums.count(0) == 1


def test_the_loader_batches_and_reads_attention(root, coco, tmp_path):
    """OAA+ on COCO: maps of the labelled classes, 80 channels."""
    from oaa_mm.attention import AttentionStore
    from oaa_mm.registry import MODELS

    store = AttentionStore()
    for image_id, categories in IMAGES.items():
        for category in categories:
            index = COCO_CATEGORY_IDS.index(category)
            store[image_id, index] = np.full((28, 37), 200, np.uint8)
    store.save(tmp_path / 'store.safetensors')
    cfg = load_config(root, coco, 'oaa_plus_vgg16_coco')
    loader = cfg.train_dataloader
    loader.dataset.pipeline[0].store = str(tmp_path / 'store.safetensors')
    loader.dataset.pipeline[2].scale = 32
    loader.update(num_workers=0, persistent_workers=False)
    loader.batch_sampler.min_iters = 1
    (batch,) = Runner.build_dataloader(loader, seed=0)
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model)
    data = model.data_preprocessor(batch, training=True)
    losses = model(**data, mode='loss')
    assert 0 < losses['loss_hybrid'].item() < 50
    assert model.head.classifier.out_channels == 80
