import os
import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.attention import AttentionStore
from oaa_mm.datasets.transforms import LoadAttentionMaps


def make_store(count=5, seed=0):
    rng = np.random.default_rng(seed)
    store = AttentionStore()
    for number in range(count):
        size = (3, 4) if number % 2 else (2, 5)
        for class_index in (number % 3, 7):
            store[f'image_{number}', class_index] = rng.integers(
                0, 256, size, dtype=np.uint8
            )
    return store


def assert_equal(first, second):
    assert list(first) == list(second)
    for pair in first:
        assert np.array_equal(first[pair], second[pair])


def test_behaves_like_a_dictionary():
    store = make_store()
    assert len(store) == 10
    assert list(store) == sorted(store)
    assert ('image_1', 7) in store
    assert ('image_1', 3) not in store
    assert store['image_1', 7].shape == (3, 4)
    assert store['image_1', 7].dtype == np.uint8
    assert store.classes_of('image_4') == (1, 7)
    assert store.classes_of('absent') == ()
    assert store.num_bytes == 4 * 12 + 6 * 10
    with pytest.raises(KeyError, match='image_1'):
        store['image_1', 3]


def test_maps_are_measured_whatever_their_layout_in_memory():
    columns = np.asfortranarray([[0, 51, 0], [51, 102, 0]], np.uint8)
    zeros = np.asfortranarray(np.zeros((2, 3), np.uint8))
    store = AttentionStore({('a', 0): columns, ('a', 1): zeros})
    store['a', 2] = columns[:, ::-1]
    assert store.measure() == (408 / (255 * 18), 1)


def test_coverage_by_hand():
    store = AttentionStore()
    assert store.coverage == 0
    store['a', 0] = np.array([[255, 0]], np.uint8)
    store['b', 0] = np.array([[0, 0]], np.uint8)
    assert store.coverage == 0.25


def test_maps_of_zeros_are_counted():
    store = AttentionStore()
    assert store.measure()[1] == 0
    for number, map_ in enumerate(([[0, 0]], [[0, 1]], [[0], [0]], [[9]])):
        store[f'{number}', 0] = np.array(map_, np.uint8)
    assert store.measure()[1] == 2


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.tuples(
            st.text('abc_0-é', min_size=1, max_size=6),
            st.integers(0, 300),
        ),
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 255)),
        max_size=8,
    )
)
def test_file_round_trip(tmp_path_factory, entries):
    store = AttentionStore()
    for pair, (height, width, value) in entries.items():
        store[pair] = np.full((height, width), value, np.uint8)
    path = tmp_path_factory.mktemp('store') / 'x.safetensors'
    store.save(path)
    assert_equal(AttentionStore.load(path), store)


def test_equal_stores_give_equal_files(tmp_path):
    store = make_store()
    shuffled = AttentionStore()
    for pair in reversed(list(store)):
        shuffled[pair] = store[pair]
    store.save(tmp_path / 'a')
    shuffled.save(tmp_path / 'b')
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


def test_random_access_reads_single_maps(tmp_path):
    store = make_store()
    store.save(tmp_path / 'a')
    reader = AttentionStore.open(tmp_path / 'a')
    assert len(reader) == 10
    assert reader.image_ids == store.image_ids
    assert list(reader.maps_of('image_4')) == [1, 7]
    assert list(reader) == list(store)
    for pair in store:
        assert np.array_equal(reader[pair], store[pair])
    with pytest.raises(KeyError):
        reader['image_1', 3]


def test_the_folder_of_a_run_stands_for_its_last_store(tmp_path):
    for name in (
        *('attention_epoch_2', 'attention_epoch_10', 'attention_iter_99'),
        *('epoch_maps_11', 'attention_epoch_x', 'cam'),
    ):
        store = make_store()
        store.metadata['name'] = name
        store.save(tmp_path / f'{name}.safetensors')
    opened = AttentionStore.open(tmp_path)
    assert opened.metadata['name'] == 'attention_epoch_10'
    transform = LoadAttentionMaps(tmp_path)
    assert transform.store.endswith('attention_epoch_10.safetensors')


def test_file_is_compact(tmp_path):
    store = AttentionStore()
    for number in range(2000):
        store[f'2007_{number:06}', number % 20] = np.zeros((28, 37), np.uint8)
    store.save(tmp_path / 'a')
    assert os.path.getsize(tmp_path / 'a') <= 1.05 * store.num_bytes


def test_any_flipped_bit_is_detected(tmp_path):
    path = tmp_path / 'a'
    make_store().save(path)
    whole = path.read_bytes()
    data = 8 + int.from_bytes(whole[:8], 'little')
    for position in range(data, len(whole)):  # maps, images and classes
        content = bytearray(whole)
        content[position] ^= 4
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r'damaged.* another epoch'):
            AttentionStore.load(path)


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = tmp_path / 'a'
    make_store().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match='not an attention store'):
        AttentionStore.load(path)


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / 'a.pth'
    path.write_bytes(pickle.dumps({'maps': 1}))
    with pytest.raises(ValueError, match='not an attention store'):
        AttentionStore.load(path)
    with pytest.raises(FileNotFoundError, match='nothing'):
        AttentionStore.load(tmp_path / 'nothing')


def test_an_interrupted_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a'
    make_store(2).save(path)
    before = path.read_bytes()

    def disk_full(_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', disk_full)
    with pytest.raises(OSError, match='No space left.*a'):
        make_store(5).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ['a']


def test_png_round_trip(tmp_path):
    store = make_store()
    store['folder/image', 1] = np.ones((2, 2), np.uint8)
    store.export_png(tmp_path)
    assert (tmp_path / 'image_4_7.png').is_file()
    assert (tmp_path / 'folder/image_1.png').is_file()
    assert_equal(AttentionStore.import_png(tmp_path), store)


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('image.png', np.zeros((2, 2), np.uint8), 'are named'),
        ('image_1.png', np.zeros((2, 2, 3), np.uint8), "mode 'RGB'"),
        ('image_1.png', np.zeros((2, 2), np.uint16), 'greyscale'),
    ],
)
def test_png_that_do_not_fit_are_named(tmp_path, name, content, message):
    cv2.imwrite(str(tmp_path / name), content)
    with pytest.raises(ValueError, match=f'{name}.*{message}'):
        AttentionStore.import_png(tmp_path)


def test_folder_without_png(tmp_path):
    with pytest.raises(FileNotFoundError, match='no PNG'):
        AttentionStore.import_png(tmp_path)


def test_broken_png_is_named(tmp_path):
    (tmp_path / 'image_1.png').write_bytes(b'\x89PNG\r\n\x1a\n rubbish')
    with pytest.raises(ValueError, match=r'image_1.png.*not a readable'):
        AttentionStore.import_png(tmp_path)


@pytest.mark.parametrize(
    'image_id', ['', '../up', '/root', 'a\nb', 'a\0', '..', ' a', 'a//b']
)
def test_ids_that_are_no_file_names_are_refused(image_id):
    with pytest.raises(ValueError, match='image id'):
        AttentionStore()[image_id, 0] = np.zeros((1, 1), np.uint8)


@pytest.mark.parametrize('class_index', [-1, 65536, 1.0, 'cat'])
def test_classes_that_the_file_cannot_hold_are_refused(class_index):
    store = AttentionStore()
    match = rf"'a'.*from 0 .* to 65535, but got {class_index!r}"
    with pytest.raises(ValueError, match=match):
        store['a', class_index] = np.zeros((1, 1), np.uint8)
    assert len(store) == 0


def test_largest_class_survives_the_file(tmp_path):
    store = AttentionStore()
    store['a', np.int64(65535)] = np.full((1, 1), 7, np.uint8)
    store.save(tmp_path / 'a')
    assert AttentionStore.load(tmp_path / 'a')['a', 65535].tolist() == [[7]]


@pytest.mark.parametrize(
    'attention', [np.zeros((2, 2)), np.zeros(3, np.uint8)]
)
def test_maps_that_are_not_uint8_are_refused(attention):
    with pytest.raises(ValueError, match=r'\(h, w\) uint8'):
        AttentionStore()['a', 0] = attention


def test_another_resolution_is_refused_and_loses_nothing():
    store = AttentionStore()
    store['a', 0] = np.ones((2, 2), np.uint8)
    with pytest.raises(ValueError, match=r"'a', class 0.*2x2.*3x3"):
        store.join(('a', 0), np.zeros((3, 3), np.uint8))
    assert list(store) == [('a', 0)]
    assert store['a', 0].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize('negatives', [5, 'image_1', {'image_1': 0}, None])
def test_negatives_that_are_no_list(tmp_path, negatives):
    path = tmp_path / 'store.safetensors'
    AttentionStore(metadata={'negatives': negatives}).save(path)
    for read in (AttentionStore.open, AttentionStore.load):
        with pytest.raises(ValueError, match='safetensors is damag') as error:
            read(path)
        assert f'`negatives` are {negatives!r}, not a list' in str(error.value)
