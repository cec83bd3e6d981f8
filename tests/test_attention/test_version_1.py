"""Files that releases wrote before the format's second version."""

import numpy as np
import pytest
import torch

from oaa_mm.attention import AttentionAccumulator, AttentionStore, Placement

#: Settings of the accumulators in tests/data.
SETTINGS = {
    'max': {'keep_latest': True},
    'mean': {'fusion': 'mean', 'acceptance': 'all_targets'},
}


def update(accumulator, epoch, index):
    """One image; the files hold three epochs of eight and five images."""
    rng = np.random.default_rng([epoch, index])
    scores = rng.integers(-9, 10, (1, 3, *((4, 5), (5, 3))[index % 2]))
    labels = torch.zeros(1, 3, dtype=torch.uint8)
    labels[0, [index % 3, (index // 3) % 3]] = 1
    # The classifier never trusts class 2, and only sometimes class 1.
    logits = torch.tensor([[3.0, 2.0 * (epoch % 2), -1.0]])
    height, width = scores.shape[2:]
    top, left = 4 * int(rng.integers(2)), 4 * int(rng.integers(2))
    box = (top, left, top + 4 * height, left + 4 * width)
    placement = Placement(frame=(24, 24), box=box, grid=(6, 6))
    accumulator.update(
        [f'im{index}'],
        torch.from_numpy(scores).float(),
        labels,
        logits=logits - labels.flip(1),
        placements=[placement],
    )


@pytest.mark.parametrize('name', SETTINGS)
def test_an_accumulator_in_the_middle_of_an_epoch(root, tmp_path, name):
    old = AttentionAccumulator(**SETTINGS[name])
    old.load(root / f'tests/data/accumulator_{name}_v1.safetensors')
    assert old.store.metadata == {'iter': '11'}
    old.epoch = 3
    new = AttentionAccumulator(**SETTINGS[name])
    for epoch in range(3):
        for index in range(8):
            update(new, epoch, index)
        new.finish_epoch(epoch)
    for index in range(5):
        update(new, 3, index)
    new.store.metadata['iter'] = '11'
    for index in (5, 6, 7):
        for accumulator in (old, new):
            update(accumulator, 3, index)
    assert old.finish_epoch(3) == new.finish_epoch(3)
    # Going on wipes out that the old file did not date its candidates.
    for accumulator, path in ((old, 'old'), (new, 'new')):
        for index in range(8):
            update(accumulator, 4, index)
        accumulator.finish_epoch(4)
        accumulator.save(tmp_path / path)
    assert (tmp_path / 'old').read_bytes() == (tmp_path / 'new').read_bytes()


@pytest.mark.parametrize('read', [AttentionStore.load, AttentionStore.open])
def test_a_store(root, read):
    store = read(root / 'tests/data/store_v1.safetensors')
    expected = {}
    for number in range(6):
        size = (3, 4) if number % 2 else (2, 5)
        for c in (number % 3, 7):
            values = np.arange(size[0] * size[1]) * (number + c + 1) % 256
            expected[f'im_{number}', c] = values.reshape(size)
    assert list(store) == sorted(expected)
    for pair, attention in expected.items():
        assert np.array_equal(store[pair], attention)
    assert store.metadata == {}


def test_the_maps_of_an_accumulator(root):
    path = root / 'tests/data/accumulator_max_v1.safetensors'
    accumulator = AttentionAccumulator()
    accumulator.load(path)
    store = AttentionStore.load(path)
    assert len(store) == 11
    for pair, attention in store.items():
        assert (accumulator.store[pair] >= attention).all()
