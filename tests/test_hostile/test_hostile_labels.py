"""Readers of labels meet files that are broken or malicious."""

import contextlib
import encodings.aliases
import json
import pickle
import time

import numpy as np
import pytest
from hostile import (
    HOSTILE_NAMES,
    assert_plain_ids,
    bounded_memory,
    cases,
    hostile_names,
    mutated,
    nothing_is_run,
    only_documented,
)
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from oaa_mm.datasets import ImageLevelDataset
from oaa_mm.tags import LabelTable, load_classes, read_image_list, write_labels
from oaa_mm.tags.formats.coco import read_coco
from oaa_mm.tags.formats.csv_file import read_csv
from oaa_mm.tags.formats.list_file import read_list
from oaa_mm.tags.formats.masks import read_masks
from oaa_mm.tags.formats.npy import read_npy
from oaa_mm.tags.formats.voc_xml import read_voc_xml

TABLE = LabelTable(
    {'im_1': (0, 2), 'im.v2': (), '日本': (1,)}, ('a', 'b', 'c')
)
READERS = {
    'list': ('a.txt', read_list),
    'csv': ('a.csv', read_csv),
    'coco': ('a.json', read_coco),
    'npy': ('a.npy', read_npy),
}


def refused(message):
    return pytest.raises(ValueError, match=message)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    with bounded_memory():
        yield tmp_path_factory.mktemp('labels')


def written(folder, form):
    path = folder / f'whole_{READERS[form][0]}'
    write_labels(TABLE, path, format=form)
    return path.read_bytes()


def check(reader, path, classes=None):
    table = None
    with only_documented(path), nothing_is_run():
        table = reader(path, classes=classes)
    if table is not None:
        assert_plain_ids(table.labels)
    return table


@pytest.mark.parametrize('form', READERS)
def test_damaged_files(folder, form):
    name, reader = READERS[form]
    contents = [written(folder, form)]

    @cases(150)
    @given(mutated(contents), st.sampled_from((None, ('a', 'b', 'c'))))
    def run(content, classes):
        (folder / name).write_bytes(content)
        check(reader, folder / name, classes)

    run()


@pytest.mark.parametrize(('suffix', 'reader'), [
    ('.xml', read_voc_xml), ('.png', read_masks),
])  # fmt: skip
def test_damaged_files_of_a_folder(folder, suffix, reader):
    inside = folder / suffix[1:]
    inside.mkdir()
    file = inside / f'one{suffix}'
    if suffix == '.png':
        mask = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10))
        mask.save(file)
        mask.convert('P').save(inside / 'other.png')
        contents = [path.read_bytes() for path in inside.iterdir()]
        (inside / 'other.png').unlink()
    else:
        contents = [
            b'<annotation><object><name>dog</name><difficult>1</difficult>'
            b'</object><object><name>cat</name></object></annotation>'
        ]

    @cases(150)
    @given(mutated(contents))
    def run(content):
        file.write_bytes(content)
        check(reader, inside)

    run()


def hostile_files(name):
    """A file of each form that is about an image of this name."""
    quoted = json.dumps(name)
    coco = (
        '{"images": [{"id": 1, "file_name": %s}], "categories": '
        '[{"id": 1, "name": "a"}], "annotations": []}'
    )
    value = np.empty((), object)
    value[()] = {name: np.array([1])}
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    header = header.ljust(117) + b'\n'
    return {
        'list': f'{name} 0\n'.encode(errors='surrogatepass'),
        'csv': f'image,labels\n{quoted},0\n'.encode(errors='surrogatepass'),
        'coco': (coco % quoted).encode(),
        'npy': b'\x93NUMPY\x01\x00\x76\x00' + header + pickle.dumps(value, 4),
    }


def test_names_that_lead_out_of_a_folder(folder):
    out = folder / 'out'

    @cases(120)
    @given(hostile_names)
    def run(name):
        for form, content in hostile_files(name).items():
            file, reader = READERS[form]
            (folder / file).write_bytes(content)
            table = check(reader, folder / file)
            if table is None or not table.labels:
                continue
            with contextlib.suppress(ValueError):  # ids with a suffix
                write_labels(table, out / 'a.csv')

    run()
    for name in HOSTILE_NAMES:
        run.hypothesis.inner_test(name)
    assert sorted(p.name for p in out.iterdir()) == ['a.csv']
    assert not list(folder.parent.glob('**/*escaped*'))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ('id', 'file_name', 'image_id', 'category_id', 'name', 'x')
        ),
        inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


def test_made_up_coco(folder):
    path = folder / 'made_up.json'
    keys = ('images', 'annotations', 'categories')

    @cases(150)
    @given(st.fixed_dictionaries({key: st.lists(JSON, max_size=3) | JSON
                                  for key in keys}) | JSON)  # fmt: skip
    def run(content):
        path.write_text(json.dumps(content))
        check(read_coco, path)

    run()


@pytest.mark.parametrize('text', [
    '[' * 200_000, '{"images":' * 100_000, '9' * 5000,
    '{"images": [{"id": %s}]}' % ('9' * 5000), '"\\ud800"', 'NaN',
])  # fmt: skip
def test_json_that_breaks_parsers(folder, text):
    path = folder / 'deep.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'deep\.json'):
        read_coco(path)


LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "ha">'
    + ''.join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(10))
    + ']><annotation>&l10;</annotation>'
)
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<annotation><object><name>&x;</name></object></annotation>'
)


@pytest.mark.parametrize('text', [
    LAUGHS, OUTSIDE, '<annotation>&l0;</annotation>',
    '<annotation>' * 50_000, '<annotation ' + 'a="" ' * 9 + '/>',
])  # fmt: skip
def test_xml_that_attacks_parsers(folder, text):
    inside = folder / 'laughs'
    inside.mkdir(exist_ok=True)
    (inside / 'a.xml').write_text(text)
    with bounded_memory(100), pytest.raises(ValueError, match=r'a\.xml'):
        read_voc_xml(inside)


def test_xml_nested_as_deep_as_it_likes(folder):
    inside = folder / 'nested'
    inside.mkdir()
    text = '<annotation>' + '<a>' * 100_000 + '</a>' * 100_000
    (inside / 'a.xml').write_text(text + '</annotation>')
    assert read_voc_xml(inside).labels == {'a': ()}


def test_xml_of_any_declared_encoding(folder):
    inside = folder / 'encoded'
    inside.mkdir()
    for encoding in sorted(set(encodings.aliases.aliases.values())):
        text = f'<?xml version="1.0" encoding="{encoding}"?><annotation/>'
        contents = [text.encode()]
        with contextlib.suppress(LookupError, UnicodeError):
            contents.append(text.encode(encoding))  # text encodings alone
        for content in contents:
            (inside / 'a.xml').write_bytes(content)
            check(read_voc_xml, inside)


def test_bombs_in_place_of_masks(folder, png_bomb, eps_bomb):
    for number, bomb in enumerate((png_bomb, eps_bomb)):
        inside = folder / f'bomb{number}'
        inside.mkdir()
        (inside / 'a.png').write_bytes(bomb)
        with bounded_memory(50), nothing_is_run(), refused(r'a\.png: not a'):
            read_masks(inside)


def test_folders_that_are_called_like_files(folder):
    for suffix, read in (('.xml', read_voc_xml), ('.png', read_masks)):
        inside = folder / f'folders{suffix}'
        (inside / f'a{suffix}').mkdir(parents=True)
        with refused(rf'a\{suffix}'):
            read(inside)


def test_lists_of_images_name_files(folder):
    path = folder / 'listed.txt'
    for name in ('..', 'a\x1bb', 'x' * 300):
        path.write_text(f'fine\n{name}\n', newline='\n')
        with refused(r'listed\.txt.*cannot be the stem'):
            read_image_list(path)
        with refused(r'listed\.txt, line 2.*cannot be the stem'):
            ImageLevelDataset(
                str(path), test_mode=True, metainfo={'classes': ('a',)},
                data_root=str(folder), check_images=False,
            )  # fmt: skip


def test_class_names_longer_than_a_file_name():
    assert load_classes('x' * 5000) == ('x' * 5000,)


def raw_npy(path, data):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    path.write_bytes(
        b'\x93NUMPY\x01\x00\x76\x00' + header.ljust(117) + b'\n' + data
    )
    return path


GLOBALS = (
    b'cnumpy\nndarray\n', b'cnumpy\ndtype\n', b'c_codecs\nencode\n',
    b'c__builtin__\nbytes\n', b'ccollections\nOrderedDict\n',
    b'cnumpy.core.multiarray\n_reconstruct\n', b'cos\nsystem\n',
    b'cnumpy.core.multiarray\nscalar\n', b'cbuiltins\neval\n',
    b'cnumpy.core.numeric\n_frombuffer\n', b'cnumpy.core\nmultiarray\n',
    b'\x8c\x05numpy\x8c\x0fndarray.__mro__\x93',
)  # fmt: skip
PARTS = (
    b'(', b't', b'l', b'd', b')', b']', b'}', b'\x8f', b'R', b'b', b'\x81',
    b'\x92', b'o', b'i__main__\nx\n', b'2', b'0', b'1', b'a', b'e', b's',
    b'u', b'\x90', b'\x91', b'\x85', b'\x86', b'\x87', b'N', b'\x88', b'K\x01',
    b'J\xff\xff\xff\x7f', b'U\x02f8', b'U\x02|O', b'X\x01\x00\x00\x00a',
    b'X\x06\x00\x00\x00latin1', b'C\x08\0\0\0\0\0\0\0\0', b'q\x00', b'h\x00',
    b'r\xff\xff\xff\x7f', b'j\xff\xff\xff\x7f', b'\x94', b'\x82\x01', b'Pa\n',
    b'Q', b'\x97', b'\x98', b'\x95\xff\xff\xff\xff\xff\xff\xff\xff',
    b'\x8a\xff', b'\x8b\xff\xff\xff\x7f', b'I99999\n',
    b'G\x7f\xf0\0\0\0\0\0\0',
    b'X\x08\x00\x00\x00__code__', b'X\x09\x00\x00\x00__class__',
)  # fmt: skip
CALL = b'(' + b'U\x02f8' + b'K\x00' + b'K\x01' + b't' + b'R'


def test_any_program_of_pickle(folder):
    path = folder / 'program.npy'
    part = st.sampled_from((*GLOBALS, *PARTS, *PARTS, CALL))

    @cases(300)
    @given(st.lists(part, max_size=30).map(b''.join))
    def run(program):
        check(read_npy, raw_npy(path, b'\x80\x02' + program + b'.'))

    run()


def bombs():
    """Small pickles that ask for much, by sharing or by repetition."""
    start = b'\x80\x02'
    # Lists of one list ten times over: as an array 10^12 numbers.
    shared = b'K\x01'
    for level in range(12):
        shared = b'](' + shared + b'q%c' % level + b'h%c' % level * 9 + b'e'
    rest = b'cnumpy.core.multiarray\n_reconstruct\n)R(K\x01)cnumpy\ndtype\n'
    rest += b'U\x02O8\x85R\x89'
    yield start + rest + b'](}U\x01a' + shared + b'se' + b'tb.'
    # A tuple of a tuple twice over, as key: 2^40 steps to hash it.
    key = b')' + b'2\x86' * 40
    yield start + rest + b'](}' + key + b'K\x01se' + b'tb.'
    yield start + b'(' + key + b'K\x01d.'
    yield start + b'\x8f(' + key + b'\x90.'
    yield start + b'ccollections\nOrderedDict\n](' + key + b'K\x01\x86e\x85R.'
    # Nested too deep to hash in C.
    yield start + b'}' + b')' + b'\x85' * 200_000 + b'K\x01s.'
    # The name of a type, and of an encoding, of 10^12 letters.
    for name in (b'cnumpy\ndtype\n', b'c_codecs\nencode\nU\x01a'):
        yield start + b'0'.join((b'', name + shared + b'\x86R0N.'))
    # One large text, copied again and again.
    text = b'X' + (1 << 20).to_bytes(4, 'little') + b'a' * (1 << 20)
    copy = b'c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R'
    yield start + text + b'q\x00' + copy * 2000 + b'.'
    copy = b'cnumpy.core.numeric\n_frombuffer\n(h\x00cnumpy\ndtype\nU\x02u1'
    yield start + text + b'q\x00' + (copy + b'\x85RJ\x00\x00\x10\x00tR') * 2000


@pytest.mark.parametrize('number', range(10))
def test_pickles_that_ask_for_much(folder, number):
    path = raw_npy(folder / 'bomb.npy', list(bombs())[number])
    start = time.perf_counter()
    with bounded_memory(150), nothing_is_run(), refused(r'bomb\.npy'):
        read_npy(path)
    assert time.perf_counter() - start < 10


def test_headers_of_npy_that_ask_for_much(folder):
    path = folder / 'header.npy'
    for shape in ('(1000000000000,)', '(' * 3000, '()' * 3000, '(-1,)'):
        for descr in ("'|O'", "'<f8'", "[('a', 'O')] * 9"):
            header = (
                f"{{'descr': {descr}, 'fortran_order': 0, 'shape': {shape}}}"
            )
            size = len(header).to_bytes(2, 'little')
            path.write_bytes(b'\x93NUMPY\x01\0' + size + header.encode())
            with bounded_memory(50), nothing_is_run(), refused('header'):
                read_npy(path)
    path.write_bytes(b'\x93NUMPY\x02\0\xff\xff\xff\xff')
    with bounded_memory(50), pytest.raises(ValueError, match=r'header\.npy'):
        read_npy(path)
