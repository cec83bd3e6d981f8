from __future__ import annotations

import io
import os
import pickle
import subprocess
import tracemalloc

import numpy as np
import pytest

from oaa_mm.tags import LabelTable, write_labels
from oaa_mm.tags.formats.npy import read_npy


def save(path, value):
    np.save(path, value, allow_pickle=True)
    return path


def raw(path, data):
    """A .npy whose pickle is `data`."""
    buffer = io.BytesIO()
    header = {'descr': '|O', 'fortran_order': False, 'shape': ()}
    np.lib.format.write_array_header_1_0(buffer, header)
    path.write_bytes(buffer.getvalue() + data)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'cls_labels.npy'


@pytest.mark.parametrize(
    'dtype', ['f4', 'f8', 'u1', '?', 'i8', '>i4', '>f8', 'f2']
)
def test_psa_form(path, dtype):
    save(path, {'2007_000032': np.array([1, 0, 1], dtype), 'b': np.zeros(3)})
    table = read_npy(path)
    assert table.labels == {'2007_000032': (0, 2), 'b': ()}
    assert table.classes is None


@pytest.mark.parametrize('kind', [int, np.int32, np.int64])
def test_irn_form(path, kind):
    save(path, {kind(2007000032): np.array([0, 1], np.float32)})
    table = read_npy(path, classes=('cat', 'dog'))
    assert table.labels == {'2007_000032': (1,)}
    assert table.classes == ('cat', 'dog')


@pytest.mark.parametrize('order', '<>')
def test_ids_from_an_array_of_texts(path, order):
    ids = np.array(['2007_000032', 'Ж'], f'{order}U11')
    save(path, {name: np.array([0, 1]) for name in ids})
    assert read_npy(path).labels == {'2007_000032': (1,), 'Ж': (1,)}


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
@pytest.mark.parametrize('numpy_1', [False, True])
def test_every_protocol(path, protocol, numpy_1):
    rows = np.array([[0, 1], [1, 1]], np.float32)
    value = np.empty((), object)
    # Columns of a transposed array are not contiguous.
    value[()] = {np.int32(2008000001): rows[0], 'b': rows.T[1], 'c': [1, 0]}
    data = pickle.dumps(value, protocol)
    if numpy_1 and protocol < 4:
        data = data.replace(b'numpy._core', b'numpy.core')
        assert b'numpy._core' not in data
    table = read_npy(raw(path, data))
    assert table.labels == {'2008_000001': (1,), 'b': (0, 1), 'c': (0,)}


@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_names_of_either_numpy_in_protocol_4(path, core):
    value = np.empty((), object)
    value[()] = {'a': np.array([0, 1], np.uint8)}
    data = pickle.dumps(value, 4)
    written, wanted = (
        bytes([0x8C, len(module)]) + module.encode()
        for module in (
            np.zeros(1).__reduce__()[0].__module__,
            f'{core}.multiarray',
        )
    )
    assert written in data
    # The length of the frame may change: without framing it needs none.
    data = data[:2] + data[11:].replace(written, wanted)
    assert read_npy(raw(path, data)).labels == {'a': (1,)}


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def evil_calls(marker):
    return [
        (Evil(os.system, f'touch {marker}'), r'(posix|nt)\.system'),
        (Evil(subprocess.getoutput, f'touch {marker}'), 'getoutput'),
        (Evil(eval, f'open({str(marker)!r}, "w")'), r'_*builtins?_*\.eval'),
        (Evil(open, str(marker), 'w'), r'open'),
        (Evil(np.fromfile, str(marker)), 'fromfile'),
    ]


@pytest.mark.parametrize('number', range(5))
@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_no_pickle_runs(path, tmp_path, number, protocol):
    marker = tmp_path / 'marker'
    evil, name = evil_calls(marker)[number]
    data = pickle.dumps({'a': evil}, protocol)
    with pytest.raises(ValueError, match=f'forbidden global .*({name})'):
        read_npy(raw(path, data))
    assert not marker.exists()


@pytest.mark.parametrize(
    'data',
    [
        # A dotted name walks from an allowed module to any other (protocol 4).
        b'\x80\x04\x8c\x05numpy\x8c\x0cndarray.load\x93.',
        b'\x80\x04\x8c\x05numpy\x8c\x04load\x93.',
        b'\x80\x04\x8c\x07_codecs\x8c\x06decode\x93.',
        b'ios\nsystem\n(S"true"\n.',
        # Extension codes stand for names registered by other code.
        b'\x80\x02\x82\x01.',
        b'Pid\n.',
    ],
)
def test_no_other_way_to_a_function(path, data):
    with pytest.raises(ValueError, match=r'cls_labels\.npy cannot be read'):
        read_npy(raw(path, data))


def test_the_malicious_pickle_would_run_elsewhere(path, tmp_path):
    # Shows that the test above tests something.
    marker = tmp_path / 'marker'
    evil, _ = evil_calls(marker)[0]
    raw(path, pickle.dumps({'a': evil}))
    np.load(path, allow_pickle=True)
    assert marker.exists()


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'.',
        b'N.',
        b'\x80\x04K\x01',
        b'(lp0\n.',
        # A memo index and lengths that ask for gigabytes.
        b'\x80\x04]r\xff\xff\xff\x7f.',
        b'\x80\x04\x8e' + b'\xff' * 6 + b'\x00\x00.',
        b'\x80\x05\x96' + b'\xff' * 6 + b'\x00\x00.',
        b'\x80\x04\x95' + b'\xff' * 6 + b'\x00\x00.',
        # An array whose shape is far larger than its bytes.
        b'\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n'
        b'K\x00\x85U\x01b\x87R(K\x01J\xff\xff\xff\x7f\x85cnumpy\ndtype\n'
        b'U\x02f8K\x00K\x01\x87R\x89U\x08\x00\x00\x00\x00\x00\x00\x00\x00tb.',
    ],
)
def test_broken_pickles(path, data):
    with pytest.raises(ValueError, match=r'cls_labels\.npy cannot be read'):
        read_npy(raw(path, data))


def test_memory_is_bounded_by_the_file(path):
    # A bytearray that claims 1 GiB in a file of some bytes.
    raw(path, b'\x80\x05\x96' + (2**30).to_bytes(8, 'little') + b'x.')
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match='pickle is broken'):
            read_npy(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_huge_files_are_not_read(path):
    save(path, {'a': np.zeros(20)})
    os.truncate(path, 2**30 + 1)
    with pytest.raises(ValueError, match='of more than 1073741824 are not'):
        read_npy(path)


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        (np.eye(3), r'holds an array of float64 with shape \(3, 3\)'),
        (np.array(['a', None], object), r'object with shape \(2,\)'),
        (np.array([1, 2]).astype(object).sum(), 'array of int64'),
        ({'a': np.ones((2, 2))}, "'a': the value should be a one-dim"),
        ({'a': np.array([0, 2])}, 'array of 0 and 1'),
        ({'a': np.array([0, 0.5])}, 'array of 0 and 1'),
        ({'a': 'x'}, 'array of 0 and 1'),
        ({'a': None}, 'array of 0 and 1'),
        ({'a': np.array(['x'])}, "values of type 'U1', not numbers"),
        ({'a': np.ones(2), 'b': np.ones(3)}, "'b' has .* 3 classes, but 2 "),
        ({9: np.ones(2)}, 'the key 9 is a number, but not a VOC one'),
        ({1.5: np.ones(2)}, 'of type float'),
        (
            {2007000032: np.ones(2), '2007_000032': np.ones(2)},
            "'2007_000032' occurs twice",
        ),
    ],
)
def test_wrong_contents(path, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_npy(save(path, value))
    assert str(path) in str(caught.value)


def test_wrong_object(path):
    value = np.empty((), object)
    value[()] = [1, 2]
    with pytest.raises(ValueError, match='holds a list, not a dict'):
        read_npy(save(path, value))


def test_wrong_number_of_classes(path):
    save(path, {'a': np.ones(91)})
    with pytest.raises(ValueError, match=r'91 classes, but 2 are expected$'):
        read_npy(path, classes=('cat', 'dog'))
    names = [f'c{i}' for i in range(80)]
    with pytest.raises(ValueError, match='COCO_CATEGORY_IDS'):
        read_npy(path, classes=names)


def test_not_a_npy_file(path):
    path.write_text('2007_000032 1')
    with pytest.raises(ValueError, match=r'is not a \.npy file'):
        read_npy(path)


def test_written_file_is_what_other_projects_read(path):
    labels = {'2007_000032': (0, 2), 'b': ()}
    write_labels(LabelTable(labels, ('x', 'y', 'z')), path)
    loaded = np.load(path, allow_pickle=True).item()
    assert list(loaded) == ['2007_000032', 'b']
    assert loaded['2007_000032'].tolist() == [1, 0, 1]
    assert loaded['2007_000032'].dtype == np.uint8
    assert loaded['b'].tolist() == [0, 0, 0]
    # numpy 1 knows no `numpy._core`.
    assert b'numpy._core' not in path.read_bytes()
