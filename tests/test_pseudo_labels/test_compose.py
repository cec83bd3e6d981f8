"""compose_label against the record, the procedure and cases by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oaa_mm.pseudo_labels import LabelRules, compose_label

DATA = Path(__file__).resolve().parents[1] / 'data/pseudo_labels.npz'


@pytest.mark.parametrize('scale', [None, np.float64(255), np.float32(255)])
def test_reproduces_the_release(scale):
    with np.load(DATA) as data:
        data = dict(data)
    for labels, maps, saliency, expected in zip(
        data['labels'],
        data['attention'],
        data['saliency'],
        data['expected'],
        strict=True,
    ):
        attention = {int(c): maps[c] for c in np.flatnonzero(labels)}
        if scale is not None:
            attention = {c: a / scale for c, a in attention.items()}
            saliency = saliency / scale
        label = compose_label(attention, saliency=saliency)
        assert label.dtype == np.uint8
        np.testing.assert_array_equal(label, expected)


def procedure(classes, values, salient, rules):
    """One pixel, step by step as the authors' procedure does it.

    Scores below the threshold are set to zero, the highest of background and
    classes wins, then what is not surely background and what is claimed
    twice is taken back.
    """
    one = np.float32(1)
    values = [np.float32(v) for v in values]
    if rules.background == 'saliency':
        background = one - np.float32(salient)
    elif rules.background == 'power':
        background = (one - max(values)) ** np.float32(rules.alpha)
    else:
        background = np.float32(rules.theta)
    scores = [background, *values]
    # In Python's floats from here on: these compare exactly.
    scores = [float(s) for s in scores]
    kept = [0.0 if s < np.float32(rules.fg_threshold) else s for s in scores]
    winner = kept.index(max(kept))
    if max(kept) == 0:
        winner = 0
    label = 0 if winner == 0 else classes[winner - 1] + 1
    if winner == 0:
        if rules.background == 'saliency':
            sure = np.float32(salient) < np.float32(rules.bg_threshold)
        else:
            sure = scores[0] >= max(scores[1:])
        for value in scores[1:]:
            if value > np.float32(rules.attention_threshold):
                sure = False
        if not sure:
            label = 255
    claims = [s for s in scores if s > np.float32(rules.conflict_threshold)]
    return 255 if len(claims) > 1 else label


def slow_label(attention, saliency, rules):
    classes = sorted(attention)
    height, width = attention[classes[0]].shape
    label = np.zeros((height, width), np.uint8)
    scale = np.float32(255)
    for y in range(height):
        for x in range(width):
            values = [attention[c][y, x] / scale for c in classes]
            salient = saliency[y, x] / scale
            label[y, x] = procedure(classes, values, salient, rules)
    foreground = sum(0 < value < 255 for value in label.flat)
    if foreground < rules.min_foreground * label.size:
        label[:] = 255
    return label


#: Also numbers that are so many 255ths exactly.
unit = st.one_of(
    st.floats(0.01, 1).map(lambda value: round(value, 3)),
    st.sampled_from([0.2, 0.4, 0.6]),
)
#: Values around the default constants come up often, ties too.
level = st.one_of(
    st.integers(0, 255),
    st.sampled_from(
        [0, 31, 32, 51, 76, 77, 102, 127, 128, 153, 204, 205, 229, 230, 255]
    ),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_equals_the_procedure_pixel_by_pixel(data):
    shape = data.draw(st.sampled_from([(1, 1), (3, 4), (5, 2)]))
    classes = data.draw(
        st.lists(st.integers(0, 253), min_size=1, max_size=4, unique=True)
    )
    maps = {
        c: data.draw(arrays(np.uint8, shape, elements=level)) for c in classes
    }
    saliency = data.draw(arrays(np.uint8, shape, elements=level))
    rules = LabelRules(
        background=data.draw(
            st.sampled_from(['saliency', 'power', 'constant'])
        ),
        alpha=data.draw(st.sampled_from([0.5, 1.0, 4.0, 16.0])),
        theta=data.draw(unit),
        fg_threshold=data.draw(st.one_of(st.just(0.3), unit)),
        conflict_threshold=data.draw(st.one_of(st.just(0.9), unit)),
        bg_threshold=data.draw(st.one_of(st.just(32 / 255), unit)),
        attention_threshold=data.draw(st.one_of(st.just(0.8), unit)),
        min_foreground=data.draw(st.sampled_from([0.0, 0.01, 0.3])),
    )
    given_saliency = saliency if rules.background == 'saliency' else None
    label = compose_label(maps, saliency=given_saliency, **vars(rules))
    np.testing.assert_array_equal(label, slow_label(maps, saliency, rules))


def row(*values):
    return np.array([values], np.uint8)


def compose_row(attention, **kwargs):
    kwargs.setdefault('min_foreground', 0)
    return compose_label(attention, **kwargs)[0].tolist()


def test_each_line_of_the_rule():
    #            conflict  class  weak,salient  calm  calm,peak  two peaks
    attention = {
        4: row(240, 100, 70, 70, 215, 240),
        1: row(0, 0, 0, 0, 0, 235),
    }
    saliency = row(10, 200, 200, 31, 25, 200)
    label = compose_row(attention, saliency=saliency)
    # The fifth: b = 230 of 255 beats 215, yet attention forbids background.
    assert label == [255, 5, 255, 0, 255, 255]


def test_saliency_of_32_is_not_calm():
    label = compose_row({0: row(9, 9)}, saliency=row(31, 32))
    assert label == [0, 255]


def test_foreground_at_the_very_threshold():
    label = compose_row(
        {0: row(101, 102)}, saliency=row(255, 255), fg_threshold=0.4
    )
    assert label == [255, 1]


def test_lowest_class_wins_a_tie():
    attention = {7: row(128), 3: row(128)}
    assert compose_row(attention, saliency=row(255)) == [4]


def test_power_lets_the_background_compete():
    # alpha 1: b = 1 - a. 0.4 loses to 0.6, 0.6 wins over 0.4.
    attention = {2: row(102, 153, 0)}
    label = compose_row(attention, background='power', alpha=1)
    assert label == [0, 3, 0]
    # alpha 4: b = 0.4096 > 0.2; 0.3164 > 0.25; at 0.28 b = 0.2687 loses to a
    # class that is too weak: uncertain.
    attention = {2: np.array([[0.2, 0.25, 0.28, 0.31]])}
    label = compose_row(attention, background='power', alpha=4)
    assert label == [0, 0, 255, 3]


def test_constant_background():
    attention = {0: row(50, 51, 52, 76, 77)}  # 51 / 255 = 0.2
    label = compose_row(attention, background='constant', theta=0.2)
    assert label == [0, 0, 255, 255, 1]
    plain = compose_row(
        attention, background='constant', theta=0.2, fg_threshold=0
    )
    assert plain == [0, 0, 1, 1, 1]


@pytest.mark.parametrize(('pixels', 'dropped'), [(1, False), (0, True)])
def test_one_percent_of_foreground_is_enough(pixels, dropped):
    attention, saliency = np.zeros((2, 10, 10), np.uint8)
    attention[0, :pixels] = saliency[0, :pixels] = 255
    label = compose_label({6: attention}, saliency=saliency)
    assert (label == 255).all() == dropped
    assert (label[0, :pixels] == 7).all()
    kept = compose_label({6: attention}, saliency=saliency, min_foreground=0)
    assert (kept[1:] == 0).all()


def test_no_map_has_no_foreground():
    saliency = row(0, 255)
    assert compose_row({}, saliency=saliency) == [0, 255]
    assert compose_row({}, saliency=saliency, min_foreground=0.01) == [255] * 2


def test_inputs_stay_as_they_were():
    attention, saliency = row(9, 200, 255), row(0, 99, 255)
    compose_label({0: attention}, saliency=saliency)
    assert attention.tolist() == [[9, 200, 255]]
    assert saliency.tolist() == [[0, 99, 255]]


def test_refine_sees_scores_and_conflicts_stay():
    image = np.zeros((1, 3, 3), np.uint8)
    seen = {}

    def refine(pixels, scores):
        seen.update(pixels=pixels, scores=scores)
        return np.array([[[0.0, 0.95, 0.0]], [[1.0, 0.0, 0.2]]], np.float32)

    label = compose_row(
        {0: row(255, 128, 64)},
        saliency=row(0, 255, 255),
        image=image,
        refine=refine,
    )
    np.testing.assert_allclose(seen['scores'][0], [[1, 0, 0]], atol=1e-6)
    assert seen['pixels'] is image
    # Conflict before; background and weak class after the refinement.
    assert label == [255, 0, 255]


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'background': 'depth'}, "background should be one of .*'depth'"),
        ({'fg_threshold': 1.5}, r'fg_threshold should be in \[0, 1\].* 1.5'),
        ({'bg_threshold': float('nan')}, 'bg_threshold should be'),
        ({'alpha': 0}, r'alpha should be in \(0, inf\), but got 0'),
        ({'background': 'saliency'}, 'needs saliency maps'),
        (
            {'background': 'power', 'saliency': row(1, 2)},
            "background 'power' takes no saliency map",
        ),
        ({'saliency': row(1, 2, 3)}, r'one size, .*\(1, 2\), \(1, 3\)'),
        ({'saliency': row(1, 2).astype(int)}, 'not int64'),
        ({'saliency': row(1, 2) * 1.0}, r'float maps should be in 0..1'),
        (
            {'saliency': row(1, 2), 'refine': lambda image, scores: scores},
            r'refine needs the image as a \(1, 2, 3\) uint8 array',
        ),
    ],
)  # fmt: skip
def test_errors_name_what_is_wrong(kwargs, message):
    with pytest.raises(ValueError, match=message):
        compose_label({0: row(3, 4)}, **kwargs)


def test_nothing_tells_the_size():
    with pytest.raises(ValueError, match='no map'):
        compose_label({}, background='power')


def test_class_beyond_8_bits():
    with pytest.raises(ValueError, match=r'should be in 0\.\.253'):
        compose_label({254: row(1)}, saliency=row(1))


def test_probabilities_leave_the_rest_to_the_background():
    """b is 0.1, 0.6 and 0.33; at a tie background wins."""
    maps = {
        0: np.array([[0.6, 0.2, 0.34, 0.5]]),
        4: np.array([[0.3, 0.2, 0.33, 0.0]]),
    }
    label = compose_label(maps, background='rest')
    np.testing.assert_array_equal(label, [[1, 0, 1, 0]])
    maps[4][0, 3] = 0.8
    with pytest.raises(ValueError, match='but the maps reach 1.30'):
        compose_label(maps, background='rest')
