"""Keeping the labels of listed images."""

from __future__ import annotations

import pytest

from oaa_mm.tags import LabelTable, select_listed

LABELS = {'a': (0,), 'b': (1, 2), 'c': (), 'd': (2,)}
TABLE = LabelTable(LABELS, ('x', 'y', 'z'))


@pytest.fixture
def listed(tmp_path):
    def write(text):
        path = tmp_path / 'list.txt'
        path.write_text(text, encoding='utf-8')
        return path

    return write


def test_order_is_that_of_the_list(listed):
    found = select_listed(TABLE, listed('d\nb\nc\n'))
    assert list(found.labels.items()) == [
        ('d', (2,)),
        ('b', (1, 2)),
        ('c', ()),
    ]
    assert found.classes == ('x', 'y', 'z')


def test_lists_of_other_projects(listed):
    text = (
        '\ufeff# a comment\n\n'
        '/JPEGImages/d.jpg /SegmentationClassAug/d.png\n'
        'b 0 1  # its classes are not read\n'
    )
    found = select_listed(TABLE, listed(text))
    assert found.labels == {'d': (2,), 'b': (1, 2)}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', r'list\.txt: the list names no image'),
        ('# a\n', r'list\.txt: the list names no image'),
        ('a\nb\na.jpg\nb\n', r'2 images are listed more than once: a, b;'),
        (
            'a\nx\nb\ny\n',
            r'list\.txt: 2 of 4 listed images have no entry .*: x, y; label',
        ),
        (
            ''.join(f'x{n}\n' for n in range(13)),
            r'13 of 13 .*: x0, .*, x9 and 3 more; label',
        ),
    ],
)
def test_lists_that_do_not_fit(listed, text, message):
    with pytest.raises(ValueError, match=message):
        select_listed(TABLE, listed(text))


def test_absent_list(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no\.txt does not'):
        select_listed(TABLE, tmp_path / 'no.txt')
