"""Many maps: the index of pairs, and maps in several blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.attention import (
    AttentionStore,
    image_numbers,
    memory,
    pages,
    pair_index,
    store_file,
)
from oaa_mm.attention.image_numbers import ImageNumbers
from oaa_mm.attention.pair_index import (
    PairIndex,
    join_keys,
    pair_keys,
    pairs_of_keys,
)

IDS = st.sampled_from(['a', 'b', 'ab', 'ü', 'a b', '2007_000032', 'z' * 40])


@pytest.fixture
def small(monkeypatch):
    """Blocks of 3 maps of 2x2, pieces of 2, and an index that merges."""
    monkeypatch.setattr(memory, 'BLOCK_BYTES', 12)
    monkeypatch.setattr(memory, 'ROWS_AT_ONCE', 2)
    monkeypatch.setattr(pages, 'ROWS_AT_ONCE', 2)
    monkeypatch.setattr(pair_index, 'FRESH', 2)
    monkeypatch.setattr(image_numbers, 'FRESH', 2)
    monkeypatch.setattr(store_file, 'PIECE', 8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(IDS, max_size=5), max_size=6))
def test_numbers_count_images_in_their_order(batches):
    numbers, expected = ImageNumbers(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_numbers, 'FRESH', 2)
        for batch in batches:
            for image_id in batch:
                expected.setdefault(image_id, len(expected))
            found = numbers.add(batch)
            assert found.tolist() == [expected[i] for i in batch]
            assert numbers.ids(found) == batch
            asked = [*expected, 'nobody', 'zz']
            assert numbers.find(asked).tolist() == [
                expected.get(i, -1) for i in asked
            ]
    assert len(numbers) == len(expected)
    assert [name.decode() for name in numbers.names()] == list(expected)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.lists(
                st.tuples(st.integers(0, 7), st.integers(0, 65535)),
                unique=True,
                max_size=8,
            ),
        ),
        max_size=8,
    )
)
def test_an_index_is_a_dictionary(steps):
    index, expected, values = PairIndex(), {}, iter(range(1000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_index, 'FRESH', 3)
        for remove, batch in steps:
            some = [key for key in batch if (key in expected) == remove]
            images, classes = np.array(some, np.int64).reshape(-1, 2).T
            keys = join_keys(images, classes)
            if remove:
                index.remove(keys)
                expected = {k: v for k, v in expected.items() if k not in some}
            else:
                new = [next(values) for _ in some]
                index.add(keys, np.array(new, np.int64))
                expected |= dict(zip(some, new, strict=True))
            asked = [*batch, (0, 0), (7, 65535)]
            images, classes = np.array(asked, np.int64).T
            assert index.find(join_keys(images, classes)).tolist() == [
                expected.get(key, -1) for key in asked
            ]
            assert len(index) == len(expected)
    keys, found = index.items()
    assert found.tolist() == [expected[key] for key in sorted(expected)]
    for image in range(8):
        classes = sorted(c for i, c in expected if i == image)
        assert index.classes_of(image) == tuple(classes)


def test_keys_of_pairs_and_back():
    numbers = ImageNumbers()
    pairs = [('a', 0), ('b', 65535), ('a', 3)]
    keys = pair_keys(pairs, numbers, add=True)
    assert pairs_of_keys(keys, numbers) == pairs
    asked = [('nobody', 1), ('a', -1), ('b', 1 << 16)]
    assert (pair_keys(asked, numbers) < 0).all()


def random_maps(count, seed, size=(2, 2)):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *size), dtype=np.uint8)


def test_maps_in_several_blocks(small, tmp_path):
    rng = np.random.default_rng(0)
    pairs = [(f'im{n % 7}', n) for n in range(20)]
    store, expected = AttentionStore(), {}
    for step in range(6):
        some = [pairs[n] for n in rng.permutation(20)[:11]]
        maps = random_maps(11, step)
        store.maximum(some, maps)
        for pair, attention in zip(some, maps, strict=True):
            expected[pair] = np.maximum(attention, expected.get(pair, 0))
    other = [('wide', 0), ('wide', 1), ('im3', 99)]
    store.set(other, random_maps(3, 9, (1, 3)))
    expected |= dict(zip(other, random_maps(3, 9, (1, 3)), strict=True))
    assert len(list(store.blocks())) >= 7
    assert max(len(maps) for _, maps in store.blocks()) == 3
    path = tmp_path / 'store'
    store.save(path)
    for found in (store, AttentionStore.load(path), AttentionStore.open(path)):
        assert list(found) == sorted(expected)
        for pair, attention in expected.items():
            assert np.array_equal(found[pair], attention)
    assert store.sizes == ((1, 3), (2, 2))
    assert store.num_bytes == 20 * 4 + 3 * 3
    assert store.classes_of('im3') == (3, 10, 17, 99)
    mixed = [pairs[n] for n in (19, 0, 7)]
    assert np.array_equal(
        store.take(mixed), np.stack([expected[p] for p in mixed])
    )


def test_blocks_do_not_change_the_file(tmp_path, request):
    pairs = [(f'im{n % 5}', n) for n in range(20)]
    for name in ('one', 'many'):
        if name == 'many':
            request.getfixturevalue('small')
            pairs = pairs[::-1]
        store = AttentionStore()
        for pair in pairs:
            store[pair] = np.full((2, 2), pair[1], np.uint8)
        store.save(tmp_path / name)
    one, many = (tmp_path / n for n in ('one', 'many'))
    assert one.read_bytes() == many.read_bytes()


def test_a_refused_call_changes_nothing(small):
    store = AttentionStore()
    store['a', 0] = np.ones((2, 2), np.uint8)
    with pytest.raises(ValueError, match="image 'a', class 0"):
        store.set([('b', 0), ('a', 0)], random_maps(2, 0, (3, 3)))
    assert list(store) == [('a', 0)]
    assert store.sizes == ((2, 2),)


def test_collections_share_memory(small):
    store = AttentionStore()
    waiting = AttentionStore(beside=store)
    pairs = [(f'im{n}', 0) for n in range(7)]
    maps = random_maps(7, 0)
    waiting.set(pairs, maps)
    some = waiting.keys(pairs[2:5])
    store.adopt(waiting, some)
    waiting.forget(some)
    assert list(store) == pairs[2:5]
    assert list(waiting) == pairs[:2] + pairs[5:]
    assert (store.num_bytes, waiting.num_bytes) == (12, 16)
    assert np.shares_memory(store['im2', 0], store.memory.view(2))
    for pages_, which in ((store, slice(2, 5)), (waiting, [0, 1, 5, 6])):
        found = np.concatenate([maps for _, maps in pages_.blocks()])
        assert np.array_equal(found, maps[which])
        assert pages_.coverage == maps[which].sum() / maps[which].size / 255
    store.adopt(waiting)
    assert (
        store.keys_in(waiting).tolist()
        == waiting.keys(pairs[:2] + pairs[5:]).tolist()
    )
    assert np.array_equal(store.take(pairs), maps)
