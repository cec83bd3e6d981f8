from __future__ import annotations

import io
import runpy
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oaa_mm.tags import LabelTable, diff_labels

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / 'tools/convert_labels.py'))
A = LabelTable({'a': (0, 1), 'b': (2,), 'c': (1,), 'gone': (0,)})
B = LabelTable(
    {'a': (0,), 'b': (1, 2), 'c': (1,), 'new': ()}, ('cat', 'cow', 'dog')
)


def text_of(diff, names=('A', 'B')):
    with redirect_stdout(io.StringIO()) as stream:
        TOOL['print_diff'](diff, names)
    return stream.getvalue()


def test_diff():
    diff = diff_labels(A, B)
    assert diff.only_in_a == ('gone',)
    assert diff.only_in_b == ('new',)
    assert diff.changed == {'a': ((1,), ()), 'b': ((), (1,))}
    assert diff.counts == {1: (1, 1)}
    assert diff.num_common == 3
    assert diff.classes == B.classes
    assert not diff.equal


def test_printed_diff():
    text = text_of(diff_labels(A, B), names=('[x]/a.txt', 'b.npy'))
    lines = [' '.join(line.split()) for line in text.splitlines()]
    assert 'A: [x]/a.txt' in lines
    assert '3 images in both, 2 of them with other labels' in lines
    assert '1 images only in A: gone' in lines
    assert '1 images only in B: new' in lines
    assert '│ cow │ 1 │ 1 │' in lines
    assert '│ all │ 1 │ 1 │' in lines
    assert 'a: -cow' in lines
    assert 'b: +cow' in lines
    assert 'the labels are equal' not in text


def test_printed_diff_is_cut():
    a = LabelTable({f'i{k:02}': (0,) for k in range(30)})
    b = LabelTable({f'i{k:02}': (1,) for k in range(30)})
    text = text_of(diff_labels(a, b))
    assert 'i19: -0 +1' in text
    assert 'i20' not in text
    assert '... and 10 more images' in text
    text = text_of(diff_labels(a, LabelTable({})))
    assert 'i18, i19 and 10 more' in text


def test_equal_tables():
    diff = diff_labels(A, A)
    assert diff.equal
    assert diff.counts == {}
    assert 'the labels are equal' in text_of(diff)


def test_other_class_names_are_not_compared():
    with pytest.raises(ValueError, match=r"different class names.*'ox'"):
        diff_labels(B, LabelTable({}, ('cat', 'ox', 'dog')))


LABELS = st.dictionaries(
    st.sampled_from('abcd'), st.sets(st.integers(0, 5)), max_size=4
)


@given(LABELS, LABELS)
def test_a_diff_leads_from_a_to_b(a, b):
    diff = diff_labels(LabelTable(a), LabelTable(b))
    rebuilt = {k: v for k, v in a.items() if k not in diff.only_in_a}
    for name, (minus, plus) in diff.changed.items():
        assert minus or plus
        rebuilt[name] = rebuilt[name] - set(minus) | set(plus)
    rebuilt |= {name: b[name] for name in diff.only_in_b}
    assert rebuilt == b
    assert diff.equal == (a == b)
