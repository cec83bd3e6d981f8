"""Many maps: the index of pairs, and maps in several blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.attention import AttentionStore, pages, pair_index, store_file
from oaa_mm.attention.pair_index import PairIndex

PAIRS = st.tuples(st.sampled_from('abcdefgh'), st.integers(0, 65535))


@pytest.fixture
def small(monkeypatch):
    """Blocks of 3 maps of 2x2, pieces of 2, and an index that merges."""
    monkeypatch.setattr(pages, 'BLOCK_BYTES', 12)
    monkeypatch.setattr(pages, 'ROWS_AT_ONCE', 2)
    monkeypatch.setattr(pair_index, 'FRESH', 2)
    monkeypatch.setattr(store_file, 'PIECE', 8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PAIRS, unique=True, max_size=8), max_size=8))
def test_an_index_is_a_dictionary(batches):
    index, expected = PairIndex(), {}
    old, pair_index.FRESH = pair_index.FRESH, 3
    try:
        for batch in batches:
            fresh = [pair for pair in batch if pair not in expected]
            values = np.arange(len(expected), len(expected) + len(fresh))
            keys = index.add(fresh, values)
            expected |= dict(zip(fresh, values.tolist(), strict=True))
            assert index.pairs_of(keys) == fresh
            found = index.find(batch).tolist()
            assert found == [expected[pair] for pair in batch]
            assert len(index) == len(expected)
            for pair in (*batch, ('a', 0), ('nobody', 1), ('a', 1 << 20)):
                assert index.get(pair) == expected.get(pair, -1)
            asked = [('nobody', 1), ('a', 0), ('a', -1), ('h', 1 << 16)]
            assert index.find(asked).tolist() == [
                expected.get(pair, -1) for pair in asked
            ]
    finally:
        pair_index.FRESH = old
    assert list(index) == sorted(expected)
    for image_id in 'abcdefgh':
        classes = sorted(c for i, c in expected if i == image_id)
        assert index.classes_of(image_id) == tuple(classes)


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
