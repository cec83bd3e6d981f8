from __future__ import annotations

import pytest

from oaa_mm.tags import VOC_CLASSES
from oaa_mm.tags.formats.csv_file import read_csv
from oaa_mm.tags.formats.list_file import read_list


def write(path, text):
    path.write_text(text, encoding='utf-8')
    return path


# ---- list


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a 1\nb dog\n', "line 2: 'dog' is not a class index"),
        ('a -1\n', "line 1: '-1' is not a class index"),
        ('a 1.0\n', "'1.0' is not a class index"),
        ('a ²\n', 'is not a class index'),
        (
            'a 1\n\nb 20\n',
            "image 'b': class index 20 is out of range.* 0 to 19",
        ),
    ],
)
def test_list_errors_name_file_and_line(tmp_path, text, message):
    path = write(tmp_path / 't.txt', text)
    with pytest.raises(ValueError, match=message) as caught:
        read_list(path, classes=VOC_CLASSES)
    assert str(path) in str(caught.value)


# ---- csv


@pytest.mark.parametrize(
    ('text', 'labels'),
    [
        ('image,labels\na,cat;traffic light\n', {'a': (0, 1)}),
        ('image,labels\na,cat | dog\n', {'a': (0, 2)}),
        ('image,labels\na,dog cat\n', {'a': (0, 2)}),
        ('image,labels\na,traffic light\n', {'a': (1,)}),
        (
            'image,labels\nJPEGImages/a.jpg,2 0\nb,\n',
            {'JPEGImages/a': (0, 2), 'b': ()},
        ),
        ('\ufeffImage, Labels\r\n"a,b",1\r\n', {'a,b': (1,)}),
        ('image,dog,cat\na,1,0\nb,0,1.0\n', {'a': (2,), 'b': (0,)}),
    ],
)
def test_csv_with_classes(tmp_path, text, labels):
    path = write(tmp_path / 't.csv', text)
    table = read_csv(path, classes=('cat', 'traffic light', 'dog'))
    assert table.labels == labels
    assert table.classes == ('cat', 'traffic light', 'dog')


def test_csv_without_classes(tmp_path):
    one_hot = read_csv(write(tmp_path / 'a.csv', 'image,x,y\na,0,1\nb,0,0\n'))
    assert one_hot.classes == ('x', 'y')
    assert one_hot.labels == {'a': (1,), 'b': ()}
    indices = read_csv(write(tmp_path / 'b.csv', 'image,labels\na,3 5\n'))
    assert indices.classes is None
    assert indices.labels == {'a': (3, 5)}


def test_csv_prefers_a_name_to_an_index(tmp_path):
    path = write(tmp_path / 't.csv', 'image,labels\na,1\n')
    assert read_csv(path, classes=('1', '0')).labels == {'a': (0,)}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'line 1: a header is needed'),
        ('a,cat\nb,dog\n', "a header is needed.* got 'a,cat'"),
        ('image\na\n', 'a header is needed'),
        ('image,labels\na,cow\n', "line 2: unknown class 'cow'; .* cat, dog"),
        (
            'image,labels\na,2\n',
            "line 2: image 'a': class index 2 is out of range",
        ),
        ('image,labels\na,cat,dog\n', 'line 2: 3 cells, .* has 2 columns'),
        ('image,labels\na,cat\n\na.jpg,dog\n', "line 4: image 'a' occurs tw"),
        ('image,cat,cow\na,1,0\n', r"line 1 \(.*\): unknown class 'cow'"),
        ('image,cat,cat\na,1,0\n', 'line 1: classes have repeated names'),
        ('image,cat,dog\na,1,2\n', "line 2: .* 0 or 1, but got '2'"),
        ('image,labels\n"a,cat\n', 'line 2: not valid CSV'),
    ],
)
def test_csv_errors_name_file_and_line(tmp_path, text, message):
    path = write(tmp_path / 't.csv', text)
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(path, classes=('cat', 'dog'))
    assert str(caught.value).startswith(str(path))


def test_csv_names_without_classes_say_what_to_give(tmp_path):
    path = write(tmp_path / 't.csv', 'image,labels\na,cat\n')
    with pytest.raises(ValueError, match=r"'cat' is a class name.* --classes"):
        read_csv(path)
