"""Joint histograms and threshold sweeps against counting by hand."""

import math

import numpy as np
import pytest
from histograms import image_histogram
from hypothesis import given, settings
from hypothesis import strategies as st

from oaa_mm.evaluation.compare import result_of_maps
from oaa_mm.evaluation.counts import (
    attention_histogram,
    count_image,
    strongest_class,
)
from oaa_mm.evaluation.scores import (
    sweep_scores,
)
from oaa_mm.evaluation.tables import threshold_level

C = 3


def labels_at(attention, size, level):
    """The label image as the definition says it, pixel by pixel."""
    out = np.zeros(size, int)
    for y in range(size[0]):
        for x in range(size[1]):
            best, label = 0, 0
            for index in sorted(attention):
                if attention[index][y, x] > best:
                    best, label = attention[index][y, x], index + 1
            out[y, x] = label if best >= level and best > 0 else 0
    return out


def reference(images, level, policy):
    """IoU, precision and recall of each class from explicit label images."""
    truth, guess = [], []
    for attention, mask in images:
        labels = labels_at(attention, mask.shape, level)
        mask = mask.astype(int)
        if policy == 'background':
            mask[mask == 255] = 0
        keep = mask != 255
        truth += mask[keep].tolist()
        guess += labels[keep].tolist()
    truth, guess = np.array(truth), np.array(guess)
    rows = []
    for value in range(C + 1):
        both = np.sum((truth == value) & (guess == value))
        either = np.sum((truth == value) | (guess == value))
        rows.append(
            (
                both / either if either else math.nan,
                both / np.sum(guess == value)
                if (guess == value).any()
                else math.nan,
                both / np.sum(truth == value)
                if (truth == value).any()
                else math.nan,
            )
        )
    any_hit = np.sum((truth > 0) & (guess > 0))
    anything = (
        any_hit / np.sum(guess > 0) if (guess > 0).any() else math.nan,
        any_hit / np.sum(truth > 0) if (truth > 0).any() else math.nan,
    )
    return np.array(rows).T, anything


@st.composite
def data_sets(draw):
    images = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 3)), draw(st.integers(1, 4))
        count = size[0] * size[1]
        classes = draw(st.sets(st.integers(0, C - 1)))
        values = st.sampled_from([0, 1, 2, 127, 128, 254, 255])
        attention = {
            c: np.array(
                draw(st.lists(values, min_size=count, max_size=count)),
                np.uint8,
            ).reshape(size)
            for c in classes
        }
        pixel = st.sampled_from([0, 1, 2, C, 255])
        mask = draw(st.lists(pixel, min_size=count, max_size=count))
        images.append((attention, np.array(mask, np.uint8).reshape(size)))
    return images


@settings(max_examples=60, deadline=None)
@given(
    images=data_sets(),
    level=st.sampled_from([0, 1, 2, 3, 127, 128, 129, 254, 255]),
    policy=st.sampled_from(['drop', 'background']),
)
def test_scores_equal_explicit_label_images(images, level, policy):
    total = np.zeros((C + 1, C, 256), np.int64)
    for attention, mask in images:
        winner, value = strongest_class(attention, mask.shape)
        total += attention_histogram(winner, value, mask, C, ignore=policy)
    if not total.any():
        with pytest.raises(ValueError, match='no pixel to compare'):
            sweep_scores(total)
        return
    scores = sweep_scores(total)
    (iou, precision, recall), anything = reference(images, level, policy)
    np.testing.assert_allclose(scores.iou[:, level], iou)
    np.testing.assert_allclose(scores.precision[:, level], precision)
    np.testing.assert_allclose(scores.recall[:, level], recall)
    np.testing.assert_allclose(
        (scores.any_precision[level], scores.any_recall[level]),
        anything,
    )
    occurs = ~np.isnan(recall)
    np.testing.assert_array_equal(scores.occurs, occurs)
    np.testing.assert_allclose(scores.miou[level], iou[occurs].mean())


@pytest.fixture
def by_hand():
    """One row of pixels, two classes that occur and one that does not.

    mask      0    0    1    1    3    3   255
    class 0  10  200  100  200    0   90  255
    class 2   0  200   50    0  100   90    0
    winner    0    0    0    0    2    0    0
    value    10  200  100  200  100   90  255
    """
    attention = {
        0: np.array([[10, 200, 100, 200, 0, 90, 255]], np.uint8),
        2: np.array([[0, 200, 50, 0, 100, 90, 0]], np.uint8),
    }
    mask = np.array([[0, 0, 1, 1, 3, 3, 255]], np.uint8)
    winner, value = strongest_class(attention, mask.shape)
    return sweep_scores(attention_histogram(winner, value, mask, 3))


def test_by_hand_at_level_100(by_hand):
    # labels at 100: 0 1 1 1 3 0 -, masks: 0 0 1 1 3 3 -
    np.testing.assert_allclose(
        by_hand.iou[:, 100], [1 / 3, 2 / 3, np.nan, 1 / 2]
    )
    np.testing.assert_allclose(
        by_hand.precision[:, 100], [1 / 2, 2 / 3, np.nan, 1]
    )
    np.testing.assert_allclose(
        by_hand.recall[:, 100], [1 / 2, 1, np.nan, 1 / 2]
    )
    best = {name: row[100] for name, row in by_hand.means().items()}
    assert by_hand.thresholds[100] == 100 / 255
    assert best['mIoU'] == pytest.approx((1 / 3 + 2 / 3 + 1 / 2) / 3)
    assert best['fg_mIoU'] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert best['precision'] == pytest.approx((2 / 3 + 1) / 2)
    assert best['recall'] == pytest.approx(3 / 4)
    assert best['any_precision'] == pytest.approx(3 / 4)
    assert best['any_recall'] == pytest.approx(3 / 4)


def test_best_level_is_the_lowest_of_the_best(by_hand):
    # At 11..90 the labels are 0 1 1 1 3 1: IoU 1/2, 2/4, 1/2. At 91..100 they
    # are 0 1 1 1 3 0: IoU 1/3, 2/3, 1/2. Both have an mIoU of exactly 1/2.
    assert by_hand.miou[11] == by_hand.miou[91] == 0.5
    assert by_hand.best_level == 11
    assert by_hand.best_threshold == pytest.approx(11 / 255)


def test_precision_leaves_out_classes_that_are_not_predicted(by_hand):
    # At 150 only class 0 is predicted: pixels 1 (wrong) and 3 (right).
    assert math.isnan(by_hand.precision[3, 150])
    assert by_hand.means()['precision'][150] == pytest.approx(1 / 2)
    # At 255 nothing is: no precision at all, no recall.
    assert math.isnan(by_hand.means()['precision'][255])
    assert by_hand.means()['recall'][255] == 0


def test_ignored_pixels_as_background_cost_precision():
    attention = {0: np.array([[200, 200]], np.uint8)}
    mask = np.array([[1, 255]], np.uint8)
    found = {}
    for policy in ('drop', 'background'):
        counts = image_histogram(attention, mask, 1, ignore=policy)
        found[policy] = counts.sum()
    assert found == {'drop': 1, 'background': 2}


def test_image_without_maps_is_all_background():
    counts = image_histogram({}, np.array([[0, 2]], np.uint8), 2)
    scores = sweep_scores(counts)
    for level in (0, 1, 255):
        np.testing.assert_allclose(scores.iou[:, level], [1 / 2, np.nan, 0])


def test_image_histogram_resizes_and_stretches():
    # 2x2 -> 4x4, values 0.2..0.8: stretched to 0..255 at the size of the mask.
    small = np.array([[0.2, 0.2], [0.8, 0.8]], np.float32)
    counts = image_histogram({1: small}, np.full((4, 4), 2, np.uint8), 2)
    assert counts.sum() == 16
    values = np.flatnonzero(counts[2, 1])
    assert counts[2, 1].sum() == 16
    assert values[0] == 0
    assert values[-1] == 255


def test_counts_of_images_add_up():
    rng = np.random.default_rng(0)
    images = [
        ({1: rng.integers(0, 256, (3, 4), np.uint8)}, rng.integers(0, 3, size))
        for size in ((5, 6), (7, 3))
    ]
    counts = [count_image(*image, 2) for image in images]
    result = result_of_maps(counts, ('a', 'b'), name='x', ignore='drop')
    dense = sum(image_histogram(*image, 2) for image in images)
    np.testing.assert_array_equal(
        result.sweep['mIoU'], sweep_scores(dense).miou
    )
    maps = np.stack([attention[1] for attention, _ in images])
    assert result.coverage == pytest.approx(maps.mean() / 255)
    assert result.missing_pairs == 2  # of class 0
    assert (result.num_images, result.num_pixels) == (2, 51)


@pytest.mark.parametrize(
    ('mask', 'winner', 'match'),
    [
        ([[3]], [[0]], r'value 3, but 2 classes allow 0\.\.2'),
        ([[1, 1]], [[0]], r'attention is \(1, 1\).*the mask is \(1, 2\)'),
    ],
)
def test_errors_say_what_does_not_fit(mask, winner, match):
    winner = np.array(winner)
    value = np.full(winner.shape, 9, np.uint8)
    with pytest.raises(ValueError, match=match):
        attention_histogram(winner, value, np.array(mask, np.uint8), 2)


def test_class_out_of_range_is_found_even_where_it_never_wins():
    attention = {
        0: np.array([[0, 9]], np.uint8),
        5: np.zeros((1, 2), np.uint8),
    }
    with pytest.raises(ValueError, match='attention for class 5'):
        image_histogram(attention, np.zeros((1, 2), np.uint8), 3)


def test_unknown_ignore_policy():
    with pytest.raises(ValueError, match=r"'drop', 'background'.*'keep'"):
        image_histogram({}, np.zeros((1, 1), np.uint8), 1, ignore='keep')


@given(level=st.integers(0, 255))
def test_threshold_levels_round_trip(level):
    assert threshold_level(level / 255) == level


@given(threshold=st.floats(0, 1), value=st.integers(0, 255))
def test_threshold_level_keeps_the_comparison(threshold, value):
    if abs(value - 255 * threshold) > 1e-6:
        above = value >= 255 * threshold
        assert (value >= threshold_level(threshold)) == above


def test_threshold_outside_the_range():
    with pytest.raises(ValueError, match=r'\[0, 1\].*1\.5'):
        threshold_level(1.5)
