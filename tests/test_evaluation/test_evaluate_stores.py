"""Stores and masks on disk: lists, gaps, names, results."""

import json

import numpy as np
import pytest
from histograms import image_histogram

from oaa_mm.attention import AttentionStore
from oaa_mm.evaluation import (
    evaluate_store,
    read_results,
    sweep_scores,
    write_results,
)
from oaa_mm.evaluation.compare import distinct_names
from oaa_mm.evaluation.results import recalls_at_first_precision
from oaa_mm.io import write_mask

NAMES = ('cat', 'cow', 'dog')
IDS = ('im_a', 'im_b', 'im_c')
CLASSES = {'im_a': (0,), 'im_b': (0, 2), 'im_c': (1,)}


@pytest.fixture
def world(tmp_path):
    """Masks, a list and a store of three images and three classes."""
    rng = np.random.default_rng(0)
    store, masks = AttentionStore(), {}
    for image_id in IDS:
        size = tuple(rng.integers(9, 14, 2))
        values = [0, *(c + 1 for c in CLASSES[image_id]), 255]
        masks[image_id] = rng.choice(np.array(values, np.uint8), size)
        write_mask(tmp_path / f'{image_id}.png', masks[image_id])
        for index in CLASSES[image_id]:
            small = rng.integers(0, 256, (4, 5)).astype(np.uint8)
            store[image_id, index] = small
    (tmp_path / 'list.txt').write_text('\n'.join(IDS) + '\n')
    return tmp_path, store, masks


def evaluate(store, ids, folder, **options):
    masks = {image_id: folder / f'{image_id}.png' for image_id in ids}
    return evaluate_store(store, masks, NAMES, **options)


@pytest.mark.parametrize('workers', [1, 3])
def test_result_is_that_of_the_summed_histogram(world, workers):
    folder, store, masks = world
    result = evaluate(store, IDS, folder, workers=workers)
    total = sum(
        image_histogram({c: store[i, c] for c in CLASSES[i]}, masks[i], 3)
        for i in IDS
    )
    scores = sweep_scores(total)
    for name, row in scores.sweep().items():
        np.testing.assert_array_equal(np.array(result.sweep[name], float), row)
    found = result.per_class['drop']
    for name, row in scores.per_class(NAMES).items():
        for key, value in row.items():
            known = found[name][key]
            assert (np.nan if known is None else known) == pytest.approx(
                value, nan_ok=True
            )
    assert result.coverage == pytest.approx(store.coverage)
    assert result.num_images == 3
    assert result.num_pixels == sum((m != 255).sum() for m in masks.values())
    assert result.missing_images == []
    assert result.missing_pairs == 0


def test_only_listed_images_count(world):
    folder, store, _ = world
    result = evaluate(store, ['im_c'], folder)
    assert result.num_images == 1
    rows = result.per_class['drop'].items()
    occur = [name for name, row in rows if row['recall'] is not None]
    assert occur == ['background', 'cow']
    assert result.coverage == pytest.approx(store['im_c', 1].mean() / 255)


def test_missing_image_is_an_error_unless_allowed(world):
    folder, store, masks = world
    write_mask(folder / 'im_d.png', np.full((3, 3), 2, np.uint8))
    ids = [*IDS, 'im_d']
    with pytest.raises(ValueError, match='no map for 1 of 4 images: im_d'):
        evaluate(store, ids, folder)
    result = evaluate(store, ids, folder, allow_missing=True)
    full = evaluate(store, IDS, folder)
    assert result.missing_images == ['im_d']
    # Its nine pixels of class 1 are missed: recall falls by that much.
    labelled = sum(np.isin(m, (1, 2, 3)).sum() for m in masks.values())
    assert result.sweep['any_recall'][1] == pytest.approx(
        full.sweep['any_recall'][1] * labelled / (labelled + 9)
    )


def test_foreign_store_is_never_allowed(world):
    folder, store, _ = world
    with pytest.raises(ValueError, match=r'another data set.*im_a'):
        evaluate(store, ['x', 'y'], folder, allow_missing=True)


def test_pairs_without_a_map_are_counted(world):
    folder, store, masks = world
    masks['im_a'][0, :3] = 2, 3, 255
    write_mask(folder / 'im_a.png', masks['im_a'])
    assert evaluate(store, IDS, folder).missing_pairs == 2


def test_bad_mask_is_named(world):
    folder, store, _ = world
    write_mask(folder / 'im_b.png', np.full((3, 3), 9, np.uint8))
    with pytest.raises(ValueError, match=r'im_b\.png: .*value 9'):
        evaluate(store, IDS, folder)


def test_recall_at_first_precision(world):
    folder, store, masks = world
    exact = AttentionStore()
    for image_id, index in store:
        hit = masks[image_id] == index + 1
        exact[image_id, index] = np.where(hit, 255, 0).astype(np.uint8)
    noisy = evaluate(store, IDS, folder)
    clean = evaluate(exact, IDS, folder)
    found = recalls_at_first_precision([noisy, clean])
    assert found[0] == pytest.approx(noisy.best['recall'])
    assert found[1] == 1.0
    # Noise never gets as precise as a copy of the masks.
    assert recalls_at_first_precision([clean, noisy])[1] is None


def test_saved_json(world):
    folder, store, _ = world
    result = evaluate(store, IDS, folder, name='maps')
    path = folder / 'out' / 'scores.json'
    write_results(path, [result])
    content = json.loads(path.read_text())
    assert content['classes'] == ['cat', 'cow', 'dog']
    assert content['ignore'] == 'drop'
    (saved,) = content['stores']
    assert saved['store'] == 'maps'
    assert saved['num_images'] == 3
    assert saved['best']['mIoU'] == pytest.approx(max(result.sweep['mIoU']))
    assert saved['best']['threshold'] == result.threshold
    assert saved['recall_at_first_precision'] == saved['best']['recall']
    assert len(saved['sweep']['mIoU']) == 256
    assert read_results(path) == [result]


def test_what_is_undefined_is_null_in_json(world):
    folder, store, _ = world
    path = folder / 'scores.json'
    write_results(path, [evaluate(store, ['im_c'], folder)])
    (saved,) = json.loads(path.read_text())['stores']
    assert saved['per_class']['cat']['recall'] is None


@pytest.mark.parametrize(
    ('text', 'match'),
    [
        ('{"stores": [', 'not valid JSON'),
        ('{"stores": [{}]}', 'ignore.*write it again'),
        ('{"folders": [3]}', 'write it again'),
    ],
)
def test_damaged_files_of_scores_are_named(tmp_path, text, match):
    path = tmp_path / 'scores.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=rf'scores\.json.*{match}'):
        read_results(path)


def test_other_json_holds_no_scores(tmp_path):
    path = tmp_path / 'scores.json'
    for text in ('[1]', '{"cls/mAP": 3.0}'):
        path.write_text(text)
        assert read_results(path) == []


def test_distinct_names():
    assert distinct_names(['w/a.safetensors', 'w/b.safetensors']) == {
        'w/a.safetensors': 'a',
        'w/b.safetensors': 'b',
    }
    paths = ['x/e.safetensors', 'y/e.safetensors', 'x/f']
    assert [*distinct_names(paths).values()] == ['x/e', 'y/e', 'x/f']
    with pytest.raises(ValueError, match='same store is given twice: a, a'):
        distinct_names(['a', 'a'])
