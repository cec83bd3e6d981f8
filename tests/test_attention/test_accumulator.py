import numpy as np
import pytest
import torch

from oaa_mm.attention import (
    AttentionAccumulator,
    AttentionStore,
    Placement,
)


def run_reference(data, *, batch_size, seed=None, pad=0, check=None):
    """Accumulate the recorded scores in some order and batching."""
    scores = torch.from_numpy(data['scores'])
    labels = torch.from_numpy(data['labels'])
    epochs, images, _, height, width = scores.shape
    accumulator = AttentionAccumulator()
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = np.arange(images)
        if seed is not None:
            rng.shuffle(order)
        for start in range(0, images, batch_size):
            batch = torch.from_numpy(order[start : start + batch_size])
            values = scores[epoch, batch].float()
            valid = None
            if pad:
                values = torch.nn.functional.pad(
                    values, (0, pad, 0, pad), value=50.0
                )
                valid = torch.tensor([[height, width]] * len(batch))
            accumulator.update(
                [f'image{n}' for n in batch.tolist()],
                values,
                labels[batch],
                valid=valid,
            )
        summary = accumulator.finish_epoch(epoch, last=epoch == epochs - 1)
        if check is not None:
            check(epoch, accumulator, summary)
    return accumulator


def assert_reference(data, epoch, store):
    for n, c in np.ndindex(data['present'].shape[1:]):
        pair = f'image{n}', c
        assert (pair in store) == data['present'][epoch, n, c]
        if pair in store:
            assert np.array_equal(store[pair], data['maps'][epoch, n, c])


@pytest.mark.parametrize('batch_size', [1, 3, 8])
@pytest.mark.parametrize(('seed', 'pad'), [(None, 0), (0, 0), (1, 3)])
def test_equals_the_authors_release(
    reference_accumulation, batch_size, seed, pad
):
    """Every epoch, to the last bit, in any order, batching and padding."""
    checked = []

    def check(epoch, accumulator, summary):
        assert_reference(reference_accumulation, epoch, accumulator.store)
        missing = reference_accumulation['labels'].sum()
        missing -= reference_accumulation['present'][epoch].sum()
        # In the last epoch the fallback has filled what was missing.
        if epoch < len(reference_accumulation['maps']) - 1:
            assert summary.never_accepted == missing
        checked.append(epoch)

    run_reference(
        reference_accumulation,
        batch_size=batch_size,
        seed=seed,
        pad=pad,
        check=check,
    )
    assert checked == [0, 1, 2, 3, 4]


def test_going_on_from_a_file_equals_going_through(
    reference_accumulation, tmp_path
):
    def reload(epoch, accumulator, _):
        if epoch == 4:  # finished: a reload would forget the fallback
            return
        accumulator.save(tmp_path / 'state')
        accumulator.load(tmp_path / 'state')

    accumulator = run_reference(
        reference_accumulation, batch_size=3, check=reload
    )
    accumulator.save(tmp_path / 'last')
    store = AttentionStore.load(tmp_path / 'last')
    assert_reference(reference_accumulation, 4, store)


def maps_of(values):
    """Scores (1, 1, 1, n) whose attention map is `values` (with a 1)."""
    return torch.tensor(values, dtype=torch.float32)[None, None, None]


ONE = torch.ones(1, 1)


def feed(accumulator, values, image_id='a', **kwargs):
    accumulator.update([image_id], maps_of(values), ONE, **kwargs)


def test_max_and_mean_by_hand():
    for fusion, expected in (
        ('max', [255, 204, 153]),
        ('mean', [255, 153, 77]),
    ):
        accumulator = AttentionAccumulator(fusion=fusion, start_epoch=0)
        feed(accumulator, [1.0, 0.4, 0.6])
        accumulator.finish_epoch(0)
        feed(accumulator, [1.0, 0.8, 0.0])
        accumulator.finish_epoch(1)
        # mean: (102 + 204) / 2 and (153 + 0) / 2 = 76.5, half up
        assert accumulator.store['a', 0].tolist() == [expected]


def test_epochs_before_the_start_do_not_count():
    accumulator = AttentionAccumulator(start_epoch=2)
    for epoch in range(2):
        feed(accumulator, [1.0, 1.0])
        summary = accumulator.finish_epoch(epoch)
        assert (summary.accepted, summary.never_accepted) == (0, 1)
        assert summary.accept_rate == 0
        assert len(accumulator.store) == 0
    feed(accumulator, [1.0, 0.2])
    summary = accumulator.finish_epoch(2)
    assert (summary.pairs, summary.accepted, summary.never_accepted) == (
        1,
        1,
        0,
    )
    assert summary.coverage == (255 + 51) / 510
    assert accumulator.store['a', 0].tolist() == [[255, 51]]


@pytest.mark.parametrize('fallback', ['last', 'none'])
def test_fallback(fallback):
    accumulator = AttentionAccumulator(
        acceptance='threshold',
        threshold=0.9,
        fallback=fallback,
        start_epoch=0,
    )
    unsure = torch.tensor([[0.0]])
    feed(accumulator, [1.0, 0.2], logits=unsure)
    accumulator.finish_epoch(0)
    feed(accumulator, [0.4, 1.0], logits=unsure)
    summary = accumulator.finish_epoch(1, last=True)
    assert summary.never_accepted == 1
    if fallback == 'none':
        assert len(accumulator.store) == 0
    else:
        assert accumulator.store['a', 0].tolist() == [[102, 255]]


def test_going_on_after_a_fallback_forgets_it(tmp_path):
    accumulator = AttentionAccumulator(
        acceptance='threshold', threshold=0.9, start_epoch=0
    )
    feed(accumulator, [1.0, 0.2], logits=torch.tensor([[0.0]]))
    accumulator.finish_epoch(0, last=True)
    accumulator.store.metadata['iter'] = 5
    checksum = accumulator.save(tmp_path / 'a')
    longer = AttentionAccumulator(
        acceptance='threshold', threshold=0.9, start_epoch=0
    )
    assert longer.load(tmp_path / 'a') == checksum
    assert longer.store.metadata == {'iter': 5}
    assert len(longer.store) == 0
    feed(longer, [0.0, 1.0], logits=torch.tensor([[5.0]]))
    longer.finish_epoch(1, last=True)
    assert longer.store['a', 0].tolist() == [[0, 255]]


def test_maps_that_are_not_finite_are_dropped_and_counted():
    accumulator = AttentionAccumulator(start_epoch=0)
    feed(accumulator, [1.0, 0.2])
    accumulator.finish_epoch(0)
    for value in (float('nan'), float('inf')):
        feed(accumulator, [value, 1.0])
        summary = accumulator.finish_epoch(1, last=True)
        assert (summary.non_finite, summary.accepted) == (1, 0)
    assert accumulator.store['a', 0].tolist() == [[255, 51]]


def test_maps_of_zeros_are_never_fused():
    accumulator = AttentionAccumulator(start_epoch=0)
    feed(accumulator, [-1.0, -2.0])
    feed(accumulator, [-1.0, 1.0], image_id='b')
    summary = accumulator.finish_epoch(0)
    assert (summary.accepted, summary.never_accepted) == (1, 1)
    assert ('a', 0) not in accumulator.store
    # Where nothing else comes, it is the fallback, and counted.
    feed(accumulator, [-1.0, -2.0])
    assert accumulator.finish_epoch(1, last=True).all_zero == 1


def test_crops_fuse_only_what_was_seen():
    accumulator = AttentionAccumulator(start_epoch=0)
    left = Placement(frame=(8, 32), box=(0, 0, 8, 16), grid=(1, 4))
    right = Placement(
        frame=(8, 32), box=(0, 16, 8, 32), grid=(1, 4), flip_horizontal=True
    )
    feed(accumulator, [1.0, 0.2], placements=[left])
    accumulator.finish_epoch(0)
    assert accumulator.store['a', 0].tolist() == [[255, 51, 0, 0]]
    feed(accumulator, [1.0, 0.4], placements=[right])
    accumulator.finish_epoch(1)
    assert accumulator.store['a', 0].tolist() == [[255, 51, 102, 255]]


def test_mean_of_crops_counts_each_cell():
    accumulator = AttentionAccumulator(fusion='mean', start_epoch=0)
    left = Placement(frame=(8, 16), box=(0, 0, 8, 8), grid=(1, 2))
    for epoch, (values, placement) in enumerate(
        [([1.0], left), ([0.2, 1.0], None)]
    ):
        feed(accumulator, values, placements=[placement])
        accumulator.finish_epoch(epoch)
    assert accumulator.store['a', 0].tolist() == [[153, 255]]


def test_only_labelled_classes_are_kept():
    accumulator = AttentionAccumulator(start_epoch=0)
    labels = torch.tensor([[1, 0, 1], [0, 0, 0]])
    accumulator.update(['a', 'b'], torch.rand(2, 3, 2, 2), labels)
    assert accumulator.finish_epoch(0, last=True).pairs == 2
    assert list(accumulator.store) == [('a', 0), ('a', 2)]


def test_keep_epoch_maps():
    accumulator = AttentionAccumulator(keep_epoch_maps=True)
    feed(accumulator, [1.0, 0.2])
    accumulator.finish_epoch(0)
    assert accumulator.epoch_maps['a', 0].tolist() == [[255, 51]]
    feed(accumulator, [0.2, 1.0], image_id='b')
    accumulator.finish_epoch(1)
    assert list(accumulator.epoch_maps) == [('b', 0)]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'fusion': 'sum'}, r"fusion.*'max', 'mean'.*'sum'"),
        ({'acceptance': 'all'}, 'acceptance'),
        ({'norm': 'l2'}, 'norm'),
        ({'fallback': 'first'}, 'fallback'),
        ({'threshold': 1.5}, r'threshold.*\[0, 1\].*1.5'),
        ({'start_epoch': -1}, 'start_epoch'),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionAccumulator(**arguments)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'image_ids': ['a']}, '1 image_ids for scores of 2'),
        ({'image_ids': ['a', '../b']}, 'image id'),
        ({'labels': torch.ones(2, 4)}, r'\(N, C\)'),
        ({'valid': torch.ones(1, 2)}, 'valid should be'),
        ({'placements': [None]}, '1 placements'),
    ],
)
def test_bad_batches_are_refused(change, message):
    batch = {
        'image_ids': ['a', 'b'],
        'scores': torch.rand(2, 3, 2, 2),
        'labels': torch.ones(2, 3),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        AttentionAccumulator().update(**batch)


def test_another_fusion_is_not_continued(tmp_path):
    AttentionAccumulator(fusion='mean').save(tmp_path / 'a')
    with pytest.raises(ValueError, match="fusion='mean'"):
        AttentionAccumulator().load(tmp_path / 'a')
