"""AttentionMetric as mmengine's loops use it."""

import cv2
import numpy as np
import pytest
import torch
from histograms import image_histogram
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from oaa_mm.datasets import VOCImageLevelDataset
from oaa_mm.evaluation import (
    AttentionMetric,
    sweep_scores,
)
from oaa_mm.io import write_mask
from oaa_mm.tags import VOC_CLASSES

NAMES = ('cat', 'cow', 'dog')


def sample(rng, mask, classes, **extra):
    maps = torch.from_numpy(rng.random((len(classes), 3, 4)))
    return {
        'img_path': f'images/{rng.integers(999)}.jpg',
        'ori_shape': mask.shape,
        'attention': {'data': maps.float()},
        'attention_classes': torch.tensor(classes, dtype=torch.long),
        'gt_sem_seg': {'data': torch.from_numpy(mask)[None]},
        **extra,
    }


@pytest.fixture
def samples():
    rng = np.random.default_rng(1)
    values = np.array([0, 0, 1, 3, 255], np.uint8)
    sizes_and_classes = [((6, 8), [0]), ((5, 9), [2, 0]), ((4, 4), [])]
    return [
        sample(rng, rng.choice(values, size), classes)
        for size, classes in sizes_and_classes
    ]


def run(metric, samples, size=None):
    metric.dataset_meta = {'classes': NAMES}
    for one in samples:
        metric.process(None, [one])
    return metric.evaluate(size or len(samples))


def expected(samples, ignore):
    total = sum(
        image_histogram(
            {
                int(c): np.asarray(m)
                for c, m in zip(
                    s['attention_classes'], s['attention']['data'], strict=True
                )
            },
            s['gt_sem_seg']['data'][0].numpy(),
            3,
            ignore=ignore,
        )
        for s in samples
    )
    return sweep_scores(total)


@pytest.mark.parametrize('ignore', ['drop', 'background'])
def test_metrics_are_those_of_the_summed_histogram(samples, ignore):
    found = run(AttentionMetric(ignore=ignore), samples)
    scores = expected(samples, ignore)
    best = scores.best()
    for name in ('mIoU', 'fg_mIoU', 'precision', 'recall'):
        value = found[f'attention/{name}']
        assert value == pytest.approx(100 * best[name], abs=0.0051)
    assert found['attention/best_threshold'] == pytest.approx(
        scores.best_threshold, abs=1e-4
    )
    maps = torch.cat([s['attention']['data'] for s in samples])
    assert found['attention/coverage'] == pytest.approx(
        100 * maps.mean().item(), abs=0.0051
    )


def test_precision_of_maps_that_show_nothing(samples):
    for one in samples:
        one['attention']['data'].zero_()
    found = run(AttentionMetric(), samples)
    assert np.isnan(found['attention/precision'])  # 0 / 0
    assert found['attention/recall'] == found['attention/fg_mIoU'] == 0


def test_images_that_need_no_mask_do_not_count(samples):
    metric = AttentionMetric()
    more = [
        {k: v for k, v in one.items() if k != 'gt_sem_seg'}
        for one in [samples[1], samples[0]]
    ]
    for one in more:
        one['seg_map_path'] = None
    assert run(metric, [more[0], *samples, more[1]]) == run(
        AttentionMetric(), samples
    )
    # The images that pad the share of a process are told by their place.
    assert run(metric, [*samples, more[0], samples[0]], size=4) == run(
        AttentionMetric(), samples
    )


def test_padding_of_several_processes_is_dropped(samples):
    # Samplers repeat images to give every process as many; `size` tells.
    once = run(AttentionMetric(), samples)
    padded = run(AttentionMetric(), [*samples, samples[0]], size=3)
    assert padded == once


def test_masks_are_read_from_files(samples, tmp_path):
    without = []
    for index, one in enumerate(samples):
        one = dict(one)
        path = tmp_path / f'{index}.png'
        write_mask(path, one.pop('gt_sem_seg')['data'][0].numpy())
        without.append({**one, 'seg_map_path': str(path)})
    assert run(AttentionMetric(), without) == run(AttentionMetric(), samples)


CHOICES = [
    VOC_CLASSES,  # as they are
    VOC_CLASSES[::-1],  # reordered
    ('dog', 'cat'),  # selected and reordered
]


@pytest.fixture
def animals(tmp_path):
    """VOC's layout: cat (7) and cow (9) in `a`, dog (11) in `b`."""
    masks = {
        'a': np.array([[0, 8, 8], [10, 255, 0]], np.uint8),
        'b': np.array([[12, 0, 255], [12, 12, 0]], np.uint8),
    }
    for image_id, mask in masks.items():
        image = np.full((*mask.shape, 3), 90, np.uint8)
        assert cv2.imwrite(str(tmp_path / f'{image_id}.jpg'), image)
        write_mask(tmp_path / f'{image_id}.png', mask)
    (tmp_path / 'list.txt').write_text('a 7 9\nb 11\n')
    return tmp_path, masks


@pytest.mark.parametrize('load', [False, True], ids=['path', 'loaded'])
@pytest.mark.parametrize('classes', CHOICES, ids=['all', 'reversed', 'two'])
def test_perfect_maps_of_chosen_classes_score_100(animals, classes, load):
    folder, masks = animals
    steps = ['LoadImageFromFile', 'oaa_mm.PackImageLevelInputs']
    if load:
        steps.insert(1, 'LoadAnnotations')
    dataset = VOCImageLevelDataset(
        'list.txt',
        data_root=str(folder),
        data_prefix={'img_path': '', 'seg_map_path': ''},
        metainfo={'classes': classes},
        pipeline=[{'type': step} for step in steps],
        test_mode=True,
    )
    metric = AttentionMetric()
    metric.dataset_meta = dataset.metainfo
    for packed_sample in dataset:
        one = packed_sample['data_samples'].to_dict()
        labels = one['gt_label'].nonzero()[:, 0]
        values = [VOC_CLASSES.index(classes[c]) + 1 for c in labels]
        maps = [masks[one['image_id']] == value for value in values]
        one['attention'] = {'data': torch.tensor(np.array(maps)).float()}
        one['attention_classes'] = labels
        metric.process(None, [one])
    found = metric.evaluate(2)
    assert found['attention/mIoU'] == 100
    assert found['attention/recall'] == 100


def test_label_map_of_a_sample_is_applied_to_its_mask(samples, tmp_path):
    # The one class left has value 2; value 1 becomes 255 and is dropped.
    write_mask(tmp_path / 'm.png', np.array([[0, 1], [2, 2]], np.uint8))
    one = {
        'seg_map_path': str(tmp_path / 'm.png'),
        'label_map': {0: 0, 1: 255, 2: 1},
        'attention': {'data': torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])},
        'attention_classes': torch.tensor([0]),
    }
    metric = AttentionMetric()
    metric.dataset_meta = {'classes': NAMES[:1]}
    metric.process(None, [one])
    found = metric.evaluate(1)
    # Right: one pixel of each; wrong: one of the class taken for background.
    assert found['attention/mIoU'] == 50
    assert found['attention/precision'] == 100
    assert found['attention/recall'] == 50
    one['label_map'] = None  # 2 is the value of no class now
    with pytest.raises(ValueError, match='holds the value 2'):
        metric.process(None, [one])


def test_missing_mask_is_named(samples, tmp_path):
    path = str(tmp_path / 'absent.png')
    one = {**samples[0], 'seg_map_path': path}
    del one['gt_sem_seg']
    metric = AttentionMetric()
    metric.dataset_meta = {'classes': NAMES}
    with pytest.raises(FileNotFoundError, match=r'absent\.png'):
        metric.process(None, [one])


def without(key):
    return lambda one: {k: v for k, v in one.items() if k != key}


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        (
            without('gt_sem_seg'),
            r'images/\d+\.jpg.*needs a mask.*seg_map_path',
        ),
        (
            without('gt_sem_seg'),
            r'Without masks: .*leave AttentionMetric out .*test_evaluator = '
            r"\[dict\(type='oaa_mm.AttentionStoreWriter', out_file='cam\.",
        ),
        (without('attention'), 'no `attention`.*CAMClassifier'),
        (lambda one: {**one, 'ori_shape': (9, 9)}, r'\(9, 9\)'),
        (
            lambda one: {**one, 'attention_classes': torch.tensor([7])},
            'images.*class 7, but 3 classes',
        ),
    ],
)
def test_errors_name_the_image(samples, change, match):
    metric = AttentionMetric()
    metric.dataset_meta = {'classes': NAMES}
    with pytest.raises(ValueError, match=match):
        metric.process(None, [change(samples[0])])


def test_results_stay_small():
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 4, (300, 400)).astype(np.uint8)
    metric = AttentionMetric()
    metric.dataset_meta = {'classes': VOC_CLASSES}
    metric.process(None, [sample(rng, mask, [0, 1, 2])])
    (counts,) = metric.results
    # A dense histogram would hold 21 * 20 * 256 counts.
    assert counts.index.nbytes + counts.pixels.nbytes < 100_000
    assert counts.pixels.sum() == mask.size


def test_classes_have_to_be_known(samples):
    with pytest.raises(ValueError, match='does not know the classes'):
        AttentionMetric().process(None, samples)


def packed(one):
    """The sample as a model returns it."""
    meta = {key: one[key] for key in ('img_path', 'ori_shape')}
    out = SegDataSample(metainfo=meta)
    out.set_field(PixelData(**one['attention']), 'attention')
    out.set_field(one['attention_classes'], 'attention_classes')
    out.gt_sem_seg = PixelData(**one['gt_sem_seg'])
    return out


def test_evaluator_builds_it_by_its_name_and_prints(samples, tmp_path):
    log = tmp_path / 'log.txt'
    MMLogger.get_instance('test_attention_metric', log_file=str(log))
    evaluator = Evaluator([{'type': 'oaa_mm.AttentionMetric'}])
    evaluator.dataset_meta = {'classes': NAMES}
    evaluator.process(data_samples=[packed(s) for s in samples])
    metrics = evaluator.evaluate(len(samples))
    assert metrics == run(AttentionMetric(), samples)
    assert set(metrics) == {
        f'attention/{name}'
        for name in (
            'mIoU', 'fg_mIoU', 'precision', 'recall', 'best_threshold',
            'coverage',
        )
    }  # fmt: skip
    text = log.read_text()
    assert 'pixels of mask value 255 are dropped' in text
    assert '| cat' in text
    assert '| cow' not in text
    assert 'Threshold sweep' in text
