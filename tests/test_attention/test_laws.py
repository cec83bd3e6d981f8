"""Laws of the accumulation, on short histories that hypothesis makes up.

A history is a list of epochs, an epoch a list of samples. Two images of two
classes with maps of two cells suffice: samples repeat, are crops, are
rejected, are zero everywhere or hold NaN.
"""

from collections import defaultdict
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.attention import (
    AttentionAccumulator,
    AttentionStore,
    Placement,
    waiting,
)
from oaa_mm.engine.exchange import split

#: The whole image, or a half of it; maps are kept on two cells.
WHOLE, LEFT, RIGHT = (
    Placement(frame=(4, 8), box=box, grid=(1, 2))
    for box in (None, (0, 0, 4, 4), (0, 4, 4, 8))
)

SAMPLE = st.tuples(
    st.sampled_from(['a', 'b']),
    st.sampled_from([(1, 0), (0, 1), (1, 1)]),  # labels
    st.tuples(st.booleans(), st.booleans()),  # sure of the classes
    st.lists(st.integers(-1, 3) | st.just(torch.nan), min_size=4, max_size=4),
    st.sampled_from([WHOLE, LEFT, RIGHT]),
)
EPOCH = st.lists(SAMPLE, max_size=6)
HISTORY = st.lists(EPOCH, min_size=1, max_size=4)
START = st.integers(0, 2)
LAW = settings(max_examples=80, deadline=None)


@pytest.fixture(autouse=True)
def _small_queue(monkeypatch):
    """Have some batches wait and others fused as they come."""
    monkeypatch.setattr(waiting, 'MAX_BATCHES', 2)


def make(start_epoch=1, **options):
    return AttentionAccumulator(
        acceptance='threshold',
        threshold=0.5,
        start_epoch=start_epoch,
        **options,
    )


def feed(accumulator, samples, batch_size=1):
    for start in range(0, len(samples), batch_size):
        ids, labels, sure, values, placements = zip(
            *samples[start : start + batch_size], strict=True
        )
        accumulator.update(
            ids,
            torch.tensor(values, dtype=torch.float32).view(-1, 2, 1, 2),
            torch.tensor(labels),
            logits=torch.tensor(sure) * 2.0 - 1.0,
            placements=placements,
        )


def run(history, last=True, **options):
    accumulator = make(**options)
    for epoch, samples in enumerate(history):
        feed(accumulator, samples)
        accumulator.finish_epoch(epoch, last and epoch == len(history) - 1)
    return accumulator


def begun(history, **options):
    """An accumulator in the middle of the last epoch of a history."""
    accumulator = run(history[:-1], last=False, **options)
    feed(accumulator, history[-1])
    return accumulator


def merged(first, *others):
    result = deepcopy(first)
    for other in others:
        result.merge(deepcopy(other))
    return result


@pytest.fixture(scope='module')
def content(tmp_path_factory):
    """All that an accumulator knows, as the bytes of its file."""
    path = tmp_path_factory.mktemp('laws') / 'state'

    def save(accumulator):
        accumulator.save(path)
        return path.read_bytes()

    return save


OPTIONS = st.sampled_from([
    {}, {'fusion': 'mean'}, {'keep_epoch_maps': True}, {'keep_latest': True},
])  # fmt: skip
BEGUN = st.lists(EPOCH, min_size=3, max_size=3)


@LAW
@given(BEGUN, BEGUN, BEGUN, START, st.booleans())
def test_merging_is_a_join(content, first, second, third, start, keep):
    """Commutative, associative and idempotent, for the maximum."""
    a, b, c = (
        begun(history, start_epoch=start, keep_epoch_maps=keep)
        for history in (first, second, third)
    )
    ab = merged(a, b)
    assert content(ab) == content(merged(b, a))
    assert content(merged(ab, c)) == content(merged(a, merged(b, c)))
    assert content(merged(a, a)) == content(a)
    assert content(merged(ab, b, a)) == content(ab)


@LAW
@given(HISTORY, OPTIONS, START, st.data())
def test_any_split_order_and_batch_size_gives_one_result(
    content, history, options, start, data
):
    expected = run(history, start_epoch=start, **options)
    parts = [
        make(start, **options)
        for _ in range(data.draw(st.integers(1, 3), 'processes'))
    ]
    main = parts[0]
    for epoch, samples in enumerate(history):
        shares = defaultdict(list)
        for sample in data.draw(st.permutations(samples), 'order'):
            shares[data.draw(st.sampled_from(range(len(parts))))] += [sample]
        for number, part in enumerate(parts):
            part.epoch = epoch
            feed(part, shares[number], data.draw(st.integers(1, 4), 'batch'))
        for part in data.draw(st.permutations(parts[1:]), 'merged'):
            for piece in split(part.take_part(), data.draw(st.integers(1, 3))):
                main.merge(piece)
            assert set(part.sections()) <= {'latest'}
        main.finish_epoch(epoch, last=epoch == len(history) - 1)
    assert content(main) == content(expected)
    if options.get('keep_epoch_maps'):
        assert_same(main.epoch_maps, expected.epoch_maps)


def assert_same(first, second):
    assert list(first) == list(second)
    for pair, attention in first.items():
        assert np.array_equal(attention, second[pair])


@LAW
@given(HISTORY, OPTIONS, START, st.sets(st.integers(0, 24)))
def test_saving_and_loading_changes_nothing(
    content, tmp_path_factory, history, options, start, stops
):
    path = tmp_path_factory.mktemp('stops') / 'state'
    resumed, step = make(start, **options), 0
    for epoch, samples in enumerate(history):
        for sample in samples:
            feed(resumed, [sample])
            step += 1
            if step in stops:
                resumed.save(path)
                resumed = make(start, **options)
                resumed.load(path)
        resumed.finish_epoch(epoch, last=epoch == len(history) - 1)
    expected = run(history, start_epoch=start, **options)
    assert content(resumed) == content(expected)
    if options.get('keep_epoch_maps'):
        assert_same(resumed.epoch_maps, expected.epoch_maps)


@LAW
@given(HISTORY, OPTIONS, START)
def test_a_pair_is_accepted_or_a_candidate_and_never_both(
    history, options, start
):
    accumulator, came = make(start, **options), set()
    for epoch, samples in enumerate(history):
        for sample in samples:
            feed(accumulator, [sample])
            came |= {pair for pair, *_ in finite_maps([sample])}
            accumulator.sections()  # takes the maps in that wait
            accepted = set(accumulator.store)
            assert not accepted & set(accumulator.candidates)
        accumulator.finish_epoch(epoch)
        accepted = set(accumulator.store)
        assert accepted ^ set(accumulator.candidates) == came


def finite_maps(samples):
    """Pair, map and whether it is accepted, by the text of the method."""
    for image_id, labels, sure, values, _ in samples:
        for c in (0, 1):
            scores = np.array(values[2 * c : 2 * c + 2], np.float32)
            if labels[c] and np.isfinite(scores).all():
                positive = scores.clip(0)
                attention = positive / max(positive.max(), 1e-9)
                attention = np.rint(255 * attention).astype(np.uint8)
                accepted = sure[c] and attention.any()
                yield (image_id, c), attention, accepted


@LAW
@given(HISTORY, START, st.sampled_from(['max', 'mean']))
def test_the_result_is_that_of_a_slow_implementation(history, start, fusion):
    history = [[(*s[:-1], WHOLE) for s in samples] for samples in history]
    expected, latest = defaultdict(list), {}
    for epoch, samples in enumerate(history):
        joined = defaultdict(lambda: np.zeros(2, np.uint8))
        for pair, attention, accepted in finite_maps(samples):
            joined[pair, bool(accepted)] |= 0
            joined[pair, bool(accepted)] = np.maximum(
                joined[pair, bool(accepted)], attention
            )
        for pair, accepted in sorted(joined, key=lambda key: key[1]):
            latest[pair] = joined[pair, accepted]
            if accepted and epoch >= start:
                expected[pair].append(joined[pair, accepted].astype(int))
    found = run(history, start_epoch=start, fusion=fusion)
    assert list(found.store) == sorted(latest)
    assert set(found.candidates) == set(latest) - set(expected)
    for pair, attention in latest.items():
        if pair in expected and fusion == 'max':
            attention = np.max(expected[pair], axis=0)
        elif pair in expected:  # half up
            attention = np.floor(np.mean(expected[pair], axis=0) + 0.5)
        assert found.store[pair].tolist() == [attention.tolist()]


@LAW
@given(HISTORY, START)
def test_the_epoch_may_be_told_at_its_end(content, history, start):
    """An accumulation that begins with another epoch than the first."""
    late, told = make(start + 3), make(start + 3)
    for epoch, samples in enumerate(history, 3):
        told.epoch = epoch
        for accumulator in (late, told):
            feed(accumulator, samples)
            accumulator.finish_epoch(epoch)
    assert content(late) == content(told)


def test_an_epoch_before_the_start_is_not_told_late():
    accumulator = make(1)
    accumulator.epoch = 1
    feed(accumulator, [('a', (1, 0), (True, True), [1, 2, 0, 0], WHOLE)])
    accumulator.merge(make_at(1))
    with pytest.raises(ValueError, match=r'epoch 1 .* of epoch 0, before'):
        accumulator.finish_epoch(0)
    with pytest.raises(ValueError, match=r"\(1, 'max'\) and \(2, 'max'\)"):
        accumulator.merge(make_at(2))


def make_at(epoch):
    accumulator = make()
    accumulator.epoch = epoch
    return accumulator


def test_a_merged_accumulator_stays_as_it_is():
    first, second = make(0), make(0)
    feed(second, [('a', (1, 0), (True, True), [1, 2, 0, 0], WHOLE)])
    first.merge(second)
    feed(first, [('a', (1, 0), (True, True), [2, 1, 0, 0], WHOLE)])
    assert first.finish_epoch(0).accepted == 1
    assert second.finish_epoch(0).accepted == 1
    assert first.store['a', 0].tolist() == [[255, 255]]
    assert second.store['a', 0].tolist() == [[128, 255]]
    assert isinstance(first.store, AttentionStore)
