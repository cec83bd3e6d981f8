"""Average precision against its definition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oaa_mm.evaluation.metrics.multilabel_metric import average_precision


def definition(scores, targets):
    """Sum of (R_n - R_{n-1}) P_n over all distinct thresholds."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        called = [
            t for s, t in zip(scores, targets, strict=True) if s >= threshold
        ]
        precision = sum(called) / len(called)
        recall = sum(called) / sum(targets)
        total += (recall - before) * precision
        before = recall
    return total


def test_by_hand():
    # Positives rank 1st and 3rd: (1/1 + 2/3) / 2.
    scores, targets = [0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0]
    assert average_precision(scores, targets) == pytest.approx(5 / 6)


@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 2.0, math.inf]),
            st.integers(0, 1),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_equals_the_definition(pairs):
    scores, targets = zip(*pairs, strict=True)
    found = average_precision(scores, targets)
    if not any(targets):
        assert math.isnan(found)
    else:
        assert found == pytest.approx(definition(scores, targets))


def test_nan_scores_are_an_error():
    with pytest.raises(ValueError, match='NaN'):
        average_precision([0.1, math.nan], [1, 0])
