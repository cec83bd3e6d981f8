"""Loading accumulated maps as targets, and taking them along with the image.

The images are ramps of grey that the maps repeat at a quarter of the size, so
a map that went wrong no longer looks like its image.
"""

import multiprocessing
import pickle

import cv2
import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from oaa_mm.attention import AttentionStore, from_frame
from oaa_mm.datasets import ImageLevelDataset, LoadAttentionMaps

CELL = 4
SIZE = (24, 40)
LABELS = {'a': (0,), 'b': (1, 2), 'c': (0, 2)}


def ramp(size):
    """2 grey levels a row, 3 a column."""
    return 20 + 2 * np.arange(size[0])[:, None] + 3 * np.arange(size[1])[None]


def blocks(image):
    """Mean of each 4x4 block."""
    rows, columns = (side // CELL for side in image.shape[:2])
    image = image[: rows * CELL, : columns * CELL]
    return image.reshape(rows, CELL, columns, CELL).mean((1, 3))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'images').mkdir()
    image = np.repeat(ramp(SIZE)[:, :, None], 3, 2).astype(np.uint8)
    for image_id in LABELS:
        cv2.imwrite(str(tmp_path / f'images/{image_id}.png'), image)
    lines = [f'{i} {" ".join(map(str, c))}\n' for i, c in LABELS.items()]
    (tmp_path / 'train.txt').write_text(''.join(lines))
    return tmp_path


@pytest.fixture
def store(folder):
    """A store whose maps are the blocks of the images, class by class."""
    store = AttentionStore()
    for image_id, classes in LABELS.items():
        for c in classes:
            store[image_id, c] = np.rint(blocks(ramp(SIZE)) + c).astype(
                np.uint8
            )
    path = folder / 'attention.safetensors'
    store.save(path)
    return path


def build(folder, store, *transforms, **kwargs):
    return ImageLevelDataset(
        'train.txt',
        data_root=str(folder),
        data_prefix={'img_path': 'images'},
        img_suffix='.png',
        metainfo={'classes': ('ant', 'bee', 'cow')},
        pipeline=[
            {'type': 'oaa_mm.LoadAttentionMaps', 'store': str(store)},
            {'type': 'LoadImageFromFile'},
            *transforms,
            {'type': 'oaa_mm.PackImageLevelInputs'},
        ],
        **kwargs,
    )


def info(image_id, classes):
    label = np.zeros(3, np.uint8)
    label[list(classes)] = 1
    return {'image_id': image_id, 'gt_label': label}


def test_maps_of_the_labelled_classes(store):
    results = LoadAttentionMaps(store).transform(info('b', (1, 2)))
    expected = AttentionStore.load(store)
    assert results['gt_attention_classes'].tolist() == [1, 2]
    assert results['gt_attention'].dtype == np.uint8
    for c, attention in zip((1, 2), results['gt_attention'], strict=True):
        assert np.array_equal(attention, expected['b', c])


def test_the_authors_png_folder(store, tmp_path):
    AttentionStore.load(store).export_png(tmp_path / 'png')
    from_store, from_png = (
        LoadAttentionMaps(path).transform(info('c', (0, 2)))
        for path in (store, tmp_path / 'png')
    )
    for key in ('gt_attention', 'gt_attention_classes'):
        assert np.array_equal(from_store[key], from_png[key])
    reader = AttentionStore.open(tmp_path / 'png')
    assert list(reader) == list(AttentionStore.open(store))
    assert len(reader) == 5


@pytest.mark.parametrize('seed', range(12))
def test_maps_go_where_the_image_goes(folder, store, seed):
    """Resize, crop and flips at random: the map still shows the image."""
    dataset = build(
        folder,
        store,
        {
            'type': 'RandomResize',
            'scale': (80, 48),
            'ratio_range': (0.5, 1.5),
            'keep_ratio': True,
        },
        {'type': 'RandomCrop', 'crop_size': (24, 32)},
        {'type': 'RandomFlip', 'prob': 0.5},
        {'type': 'RandomFlip', 'prob': 0.5, 'direction': 'vertical'},
    )
    np.random.seed(seed)
    packed = dataset[0]
    image = packed['inputs'][0].numpy().astype(float)
    sample = packed['data_samples']
    seen = blocks(image)
    attention = from_frame(sample.gt_attention, sample.placement, seen.shape)
    assert attention.shape == (1, *seen.shape)
    # At the rim of the image, cells repeat instead of going on as a ramp.
    error = np.abs(attention[0] - seen)[2:-2, 2:-2]
    assert error.max() <= 2
    assert np.ptp(seen) > 20


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
def test_flips_are_exact(folder, store, direction):
    dataset = build(
        folder,
        store,
        {'type': 'RandomFlip', 'prob': 1.0, 'direction': direction},
    )
    sample = dataset[0]['data_samples']
    flipped = from_frame(sample.gt_attention, sample.placement, (6, 10))
    axes = {'horizontal': 2, 'vertical': 1, 'diagonal': (1, 2)}[direction]
    assert np.array_equal(flipped, np.flip(sample.gt_attention, axes))


def test_samples_stay_on_the_cpu_as_arrays(folder, store):
    sample = build(folder, store)[1]['data_samples']
    moved = sample.to('meta')
    assert moved.gt_label.device.type == 'meta'
    assert isinstance(moved.gt_attention, np.ndarray)


@pytest.mark.parametrize('persistent', [False, True])
def test_in_worker_processes(folder, store, persistent):
    """Forked after the parent has opened the store, for two epochs."""
    dataset = build(folder, store)
    expected = [dataset[n]['data_samples'].gt_attention for n in range(3)]
    loader = DataLoader(
        dataset,
        num_workers=1,
        persistent_workers=persistent,
        collate_fn=pseudo_collate,
        multiprocessing_context=multiprocessing.get_context('fork'),
    )
    for _ in range(2):
        got = [batch['data_samples'][0].gt_attention for batch in loader]
        for one, other in zip(expected, got, strict=True):
            assert np.array_equal(one, other)


def test_it_can_be_sent_to_a_spawned_process(folder, store):
    dataset = build(folder, store)
    expected = dataset[2]['data_samples'].gt_attention
    copy = pickle.loads(pickle.dumps(dataset))
    assert np.array_equal(copy[2]['data_samples'].gt_attention, expected)


def remove(store, *pairs):
    maps, kept = AttentionStore.load(store), AttentionStore()
    for pair in maps:
        if pair not in pairs:
            kept[pair] = maps[pair]
    kept.save(store)


def test_missing_pairs_are_counted_when_the_data_set_is_built(folder, store):
    remove(store, ('b', 2), ('c', 0), ('c', 2))
    message = (
        r'attention\.safetensors has no map for 3 of 5 labelled .*: '
        r"b class 2, c class 0, c class 2\. .*fallback='last'"
    )
    with pytest.raises(ValueError, match=message):
        build(folder, store)
    # Only what the data set uses has to be there.
    assert len(build(folder, store, indices=1)) == 1
    dataset = build(folder, store, lazy_init=True)
    with pytest.raises(ValueError, match='3 of 5'):
        dataset.full_init()


def test_many_missing_pairs_are_not_all_named(store):
    infos = [info('a', (0,)), *(info(f'x{n}', (0, 1)) for n in range(10))]
    message = r'20 of 21 .*: x0 class 0, .* and 10 more'
    with pytest.raises(ValueError, match=message):
        LoadAttentionMaps(store).check_data(infos)


def test_the_store_of_another_data_set_is_recognised(store):
    with pytest.raises(ValueError, match=r'another data set.* of a class 0, '):
        LoadAttentionMaps(store).check_data([info('x', (0,))])


def test_it_is_checked_inside_of_other_transforms(folder, store):
    remove(store, ('a', 0))
    full = folder / 'full.safetensors'
    maps = AttentionStore.load(store)
    maps['a', 0] = maps['b', 1]
    maps.save(full)
    inner = {'type': 'oaa_mm.LoadAttentionMaps', 'store': str(store)}
    wrapped = {'type': 'RandomApply', 'transforms': [inner], 'prob': 0.5}
    with pytest.raises(ValueError, match='1 of 5'):
        build(folder, full, wrapped)


def test_a_store_that_is_absent(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.safetensors'):
        build(folder, tmp_path / 'none.safetensors')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no PNG files'):
        build(folder, tmp_path / 'empty')


def test_a_missing_map_without_a_check(store):
    load = LoadAttentionMaps(store)
    with pytest.raises(ValueError, match="no attention map of image 'a'.* 2"):
        load.transform(info('a', (2,)))


@pytest.mark.parametrize(
    ('results', 'message'),
    [
        ({'img_path': 'x.jpg', 'image_id': 'a'}, 'x.jpg has no `gt_label`'),
        ({'gt_label': np.ones(3)}, '`image_id`.*ImageLevelDataset'),
    ],
)
def test_images_without_labels(store, results, message):
    load = LoadAttentionMaps(store)
    with pytest.raises(ValueError, match=message):
        load.transform(results)
    with pytest.raises(ValueError, match=message):
        load.check_data([results])


def test_an_image_without_any_class_has_no_maps(store):
    load = LoadAttentionMaps(store)
    load.check_data([info('a', (2,)) | {'gt_label': np.eye(3)[0]}])
    results = load.transform(info('negative', ()))
    assert results['gt_attention'].shape == (0, 1, 1)
    assert results['gt_attention_classes'].tolist() == []


def test_maps_of_several_sizes(tmp_path):
    maps = AttentionStore()
    maps['a', 0] = np.zeros((2, 3), np.uint8)
    maps.export_png(tmp_path)
    maps = AttentionStore()
    maps['a', 1] = np.zeros((2, 2), np.uint8)
    maps.export_png(tmp_path)
    with pytest.raises(ValueError, match=r"'a' differ in size.*\(2, 3\)"):
        LoadAttentionMaps(tmp_path).transform(info('a', (0, 1)))
