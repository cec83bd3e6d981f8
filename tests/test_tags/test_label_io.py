from __future__ import annotations

import json
import tempfile
from pathlib import Path
from xml.dom import minidom

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oaa_mm.io import image_id_of
from oaa_mm.tags import (
    COCO_CLASSES,
    LabelTable,
    read_labels,
    write_labels,
)

LETTERS = st.characters(exclude_categories=['Cc', 'Cs', 'Zl', 'Zp', 'Cn'])
TEXTS = st.text(LETTERS, min_size=1, max_size=8).map(str.strip)


def acceptable(**table):
    try:
        LabelTable(**table)
    except ValueError:
        return False
    return True


IDS = TEXTS.filter(
    lambda text: acceptable(labels={text: ()}) and image_id_of(text) == text
)
NAMES = TEXTS.filter(lambda text: acceptable(labels={}, classes=[text]))
LIST_IDS = IDS.filter(lambda t: t.split() == [t] and not t.startswith('#'))
TABLES = {
    'voc_xml': (IDS, True),
    'list': (LIST_IDS, False),
    'npy': (IDS, True),
    'csv': (IDS, None),
    'coco': (IDS, True),
}


@st.composite
def tables(draw, ids, named):
    named = draw(st.booleans()) if named is None else named
    classes = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    indices = st.lists(st.integers(0, len(classes) - 1), max_size=4)
    labels = draw(st.dictionaries(ids, indices, min_size=1, max_size=5))
    return LabelTable(labels, classes if named else None)


@pytest.mark.parametrize('form', TABLES)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_round_trip(form, data):
    table = data.draw(tables(*TABLES[form]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'labels')
        write_labels(table, path, format=form)
        # npy and voc_xml hold no class names.
        classes = table.classes if form in ('npy', 'voc_xml') else None
        assert read_labels(path, format=form, classes=classes) == table


@pytest.mark.parametrize('form', ['voc_xml', 'list', 'npy', 'csv'])
def test_an_id_that_would_be_read_back_as_another_is_refused(tmp_path, form):
    table = LabelTable({'0.PNG': (0,)}, ('cat',))
    with pytest.raises(ValueError, match="'0.PNG' ends in .* back as '0'"):
        write_labels(table, tmp_path / 'x', format=form)
    assert not list(tmp_path.iterdir())


TABLE = LabelTable({'a': (1,), '2007_000032': (0, 1)}, ('cat', 'dog'))


@pytest.mark.parametrize('name', ['x.txt', 'x.npy', 'x.csv', 'x.json'])
def test_form_follows_the_suffix(tmp_path, name):
    write_labels(TABLE, tmp_path / 'new' / name)
    table = read_labels(tmp_path / 'new' / name, classes=TABLE.classes)
    assert table == TABLE


def test_folder_of_xml(tmp_path):
    path = tmp_path / 'deep/Annotations'
    write_labels(TABLE, path, format='voc_xml')
    assert read_labels(path, classes=TABLE.classes) == TABLE
    assert [p.name for p in path.parent.iterdir()] == ['Annotations']
    # How IRN reads them.
    document = minidom.parse(str(path / '2007_000032.xml'))
    names = document.getElementsByTagName('name')
    assert [n.firstChild.data for n in names] == ['cat', 'dog']


def test_a_full_folder_is_not_mixed_with(tmp_path):
    (tmp_path / 'old.xml').write_text('x')
    with pytest.raises(ValueError, match='new or empty folder'):
        write_labels(TABLE, tmp_path, format='voc_xml')
    assert [p.name for p in tmp_path.iterdir()] == ['old.xml']
    empty = tmp_path / 'empty'
    empty.mkdir()
    write_labels(TABLE, empty, format='voc_xml')
    assert len(list(empty.iterdir())) == 2


def test_folders_of_unclear_form(tmp_path):
    with pytest.raises(ValueError, match=r'not clear.*none of them'):
        read_labels(tmp_path)
    (tmp_path / '._a.png').touch()
    with pytest.raises(ValueError, match='none of them'):
        read_labels(tmp_path)
    (tmp_path / 'a.xml').touch()
    (tmp_path / 'a.png').touch()
    with pytest.raises(
        ValueError, match=r'several of them \(voc_xml, masks\)'
    ):
        read_labels(tmp_path)


def test_written_texts(tmp_path):
    write_labels(TABLE, tmp_path / 'a.txt')
    assert (tmp_path / 'a.txt').read_text() == 'a 1\n2007_000032 0 1\n'
    write_labels(TABLE, tmp_path / 'a.csv')
    text = (tmp_path / 'a.csv').read_text()
    assert text == 'image,cat,dog\na,0,1\n2007_000032,1,1\n'
    write_labels(LabelTable(TABLE.labels), tmp_path / 'a.csv')
    text = (tmp_path / 'a.csv').read_text()
    assert text == 'image,labels\na,1\n2007_000032,0 1\n'


def test_written_coco_has_its_own_category_ids(tmp_path):
    path = tmp_path / 'a.json'
    write_labels(LabelTable({'a': (79,)}, COCO_CLASSES), path)
    data = json.loads(path.read_text())
    assert data['annotations'][0]['category_id'] == 90
    assert data['categories'][79] == {'id': 90, 'name': 'toothbrush'}
    assert read_labels(path).labels == {'a': (79,)}


@pytest.mark.parametrize('form', ['npy', 'coco', 'voc_xml'])
def test_forms_that_need_class_names(tmp_path, form):
    with pytest.raises(ValueError, match=f'written as {form}.*--classes'):
        write_labels(LabelTable({'a': (0,)}), tmp_path / 'x', format=form)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('image_id', 'form', 'message'),
    [
        ('a b', 'list', 'blanks separate its columns'),
        ('#a', 'list', 'begins a comment'),
    ],
)
def test_ids_that_a_form_cannot_hold(tmp_path, image_id, form, message):
    table = LabelTable({image_id: (0,)}, ('cat',))
    with pytest.raises(ValueError, match=message):
        write_labels(table, tmp_path / 'x', format=form)
    assert not list(tmp_path.iterdir())


def test_csv_cannot_hold_a_class_called_labels(tmp_path):
    table = LabelTable({'a': (0,)}, ('labels',))
    with pytest.raises(ValueError, match="single class called 'labels'"):
        write_labels(table, tmp_path / 'x.csv')


def test_no_image_is_no_folder(tmp_path):
    with pytest.raises(ValueError, match='no image to write'):
        write_labels(
            LabelTable({}, ('cat',)), tmp_path / 'x', format='voc_xml'
        )


def test_masks_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match='cannot be written as masks'):
        write_labels(TABLE, tmp_path / 'x', format='masks')


def test_unknown_forms(tmp_path):
    path = tmp_path / 'labels.pkl'
    with pytest.raises(FileNotFoundError, match=r'labels.pkl does not exist'):
        read_labels(path)
    path.touch()
    with pytest.raises(ValueError, match=r'pkl is not clear: known are \.txt'):
        read_labels(path)
    with pytest.raises(ValueError, match=r"one of .'voc_xml'.* but got 'xml'"):
        read_labels(path, format='xml')
    with pytest.raises(ValueError, match=r"one of .'voc_xml'.* but got 'xml'"):
        write_labels(TABLE, path, format='xml')
    with pytest.raises(ValueError, match='folder is not clear'):
        write_labels(TABLE, tmp_path / 'folder')
