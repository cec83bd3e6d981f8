"""Batches of equal sizes, in one process and in several."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import DefaultSampler

from oaa_mm.datasets import EqualSizeBatchSampler
from oaa_mm.datasets import samplers as module
from oaa_mm.registry import DATA_SAMPLERS


class Sizes:
    """What the sampler asks of a data set."""

    def __init__(self, sizes):
        self.sizes = sizes

    def __len__(self):
        return len(self.sizes)

    def get_data_info(self, index):
        return {'input_size': self.sizes[index]}


SOME = [(24, 32)] * 11 + [(32, 24)] * 5 + [(24, 24)] * 4 + [(24, 40)]


def build(sizes, batch_size, *, seed=0, shuffle=True, **kwargs):
    sampler = DefaultSampler(Sizes(sizes), shuffle=shuffle, seed=seed)
    return EqualSizeBatchSampler(sampler, batch_size, **kwargs)


def epoch_of(batches, epoch=0):
    batches.sampler.set_epoch(epoch)
    return list(batches)


sizes_of_images = st.lists(
    st.sampled_from([(2, 2), (2, 3), (3, 2), (3, 3), (4, 3)]),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(
    sizes=sizes_of_images,
    batch_size=st.integers(1, 9),
    merge=st.booleans(),
    shuffle=st.booleans(),
    seed=st.integers(0, 9),
)
def test_every_image_once_and_equal_sizes(
    sizes, batch_size, merge, shuffle, seed
):
    batches = build(
        sizes,
        batch_size,
        seed=seed,
        shuffle=shuffle,
        merge_leftovers=merge,
    )
    for epoch in range(3):
        drawn = epoch_of(batches, epoch)
        assert len(drawn) == len(batches)
        assert sorted(i for b in drawn for i in b) == list(range(len(sizes)))
        assert all(1 <= len(batch) <= batch_size for batch in drawn)
        if merge:
            assert sum(len(batch) < batch_size for batch in drawn) <= 1
        else:
            assert all(len({sizes[i] for i in b}) == 1 for b in drawn)
            # No more than one smaller batch of each size.
            small = [sizes[b[0]] for b in drawn if len(b) < batch_size]
            assert len(small) == len(set(small))


@settings(max_examples=100, deadline=None)
@given(
    sizes=sizes_of_images,
    batch_size=st.integers(1, 9),
    world=st.integers(2, 5),
    merge=st.booleans(),
    epoch=st.integers(0, 3),
)
def test_processes_get_equal_shares_that_cover_everything(
    sizes, batch_size, world, merge, epoch
):
    shares = []
    with pytest.MonkeyPatch.context() as patch:
        for rank in range(world):
            info = (rank, world)
            patch.setattr(module, 'get_dist_info', lambda info=info: info)
            batches = build(sizes, batch_size, merge_leftovers=merge)
            shares.append(epoch_of(batches, epoch))
            assert len(shares[-1]) == len(batches)
    assert len({len(share) for share in shares}) == 1
    dealt = [tuple(batch) for share in shares for batch in share]
    times = Counter(i for batch in set(dealt) for i in batch)
    assert times == Counter(range(len(sizes)))  # each in one batch alone
    # Batches are dealt again only to fill the last round.
    assert len(dealt) - len(set(dealt)) < world


def test_lengths_by_hand():
    # 11, 5, 4 and 1 images in fours: 3 + 2 + 1 + 1 batches; merged, the
    # left-over 3 + 1 + 0 + 1 images make 2 batches beside the 4 full ones.
    assert len(build(SOME, 4)) == 7
    assert len(build(SOME, 4, merge_leftovers=True)) == 6


def test_leftovers_of_neighbouring_sizes_come_together():
    sizes = [(2, 2), (9, 9), (2, 3), (9, 8)]
    drawn = epoch_of(build(sizes, 2, merge_leftovers=True))
    assert {frozenset(batch) for batch in drawn} == {
        frozenset({0, 2}),
        frozenset({1, 3}),
    }


@pytest.mark.parametrize(
    ('min_iters', 'processes', 'times'),
    # Once is 6 + 3 + 2 + 1 = 12 batches of 2.
    [(1, 1, 1), (12, 1, 1), (13, 1, 2), (25, 1, 3), (7, 2, 2)],
)
def test_a_small_data_set_is_read_as_often_as_it_takes(
    monkeypatch, min_iters, processes, times
):
    seen = Counter()
    for rank in range(processes):
        monkeypatch.setattr(
            module, 'get_dist_info', lambda rank=rank: (rank, processes)
        )
        batches = build(SOME, 2, min_iters=min_iters)
        assert len(batches) == 12 * times / processes >= min_iters
        epoch = epoch_of(batches)
        assert len(epoch) == len(batches)
        seen.update(i for batch in epoch for i in batch)
    assert seen == dict.fromkeys(range(len(SOME)), times)


def test_a_second_reading_has_another_order():
    epoch = epoch_of(build(SOME, 2, min_iters=13))
    assert epoch[:12] == epoch_of(build(SOME, 2))
    assert epoch[:12] != epoch[12:]


def test_epochs_differ_and_seeds_reproduce():
    first, again = build(SOME, 4, seed=3), build(SOME, 4, seed=3)
    assert epoch_of(first) == epoch_of(again)
    assert epoch_of(first, 1) == epoch_of(again, 1)
    assert epoch_of(first, 0) != epoch_of(first, 1)
    assert epoch_of(first) != epoch_of(build(SOME, 4, seed=4))
    # Resuming at epoch 1 gives what an uninterrupted training had.
    assert epoch_of(build(SOME, 4, seed=3), 1) == epoch_of(first, 1)


def test_members_of_a_batch_change_too():
    sizes = [(2, 2)] * 8
    batches = build(sizes, 4)
    members = {
        frozenset(map(frozenset, epoch_of(batches, epoch)))
        for epoch in range(6)
    }
    assert len(members) > 1


def test_small_batches_do_not_always_come_last():
    batches = build(SOME, 4)
    places = {
        number
        for epoch in range(20)
        for number, batch in enumerate(epoch_of(batches, epoch))
        if len(batch) == 1
    }
    assert min(places) < 3


def test_order_without_shuffling_is_that_of_the_list():
    batches = build(SOME, 4, shuffle=False)
    assert epoch_of(batches, 0) == epoch_of(batches, 1)
    assert epoch_of(batches)[:2] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_runs_in_a_data_loader_built_by_name():
    from mmengine.runner import Runner

    class Images(Sizes):
        def __getitem__(self, index):
            return index

    loader = Runner.build_dataloader(
        {
            'dataset': Images(SOME),
            'batch_size': 4,
            'num_workers': 0,
            'sampler': {'type': 'DefaultSampler', 'shuffle': True},
            'batch_sampler': {'type': 'oaa_mm.EqualSizeBatchSampler'},
            'collate_fn': {'type': 'pseudo_collate'},
        },
        seed=0,
    )
    assert isinstance(loader.batch_sampler, EqualSizeBatchSampler)
    assert len(loader) == 7
    assert sorted(i for batch in loader for i in batch) == list(range(21))


def test_another_sampler_is_refused():
    from mmengine.dataset import InfiniteSampler

    sampler = InfiniteSampler(Sizes(SOME))
    with pytest.raises(ValueError, match=r'DefaultSampler.*InfiniteSampler'):
        EqualSizeBatchSampler(sampler, 4)


@pytest.mark.parametrize('wrong', [{'batch_size': 0}, {'min_iters': 0}])
def test_numbers_are_positive(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f'{name} should be .* got 0'):
        build(SOME, **{'batch_size': 2, **wrong})


def test_sizes_have_to_be_known():
    with pytest.raises(ValueError, match='check_images=True'):
        build([(2, 2), None], 1)


def test_registered_under_both_names():
    for name in ('EqualSizeBatchSampler', 'oaa_mm.EqualSizeBatchSampler'):
        assert DATA_SAMPLERS.get(name) is EqualSizeBatchSampler
