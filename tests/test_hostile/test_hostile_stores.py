"""Stores, and folders of attention maps, that are broken or malicious."""

import json

import numpy as np
import pytest
from hostile import (
    HOSTILE_NAMES,
    NUMBERS,
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

from oaa_mm.attention import AttentionAccumulator, AttentionStore
from oaa_mm.attention.store_file import FORMAT, FORMAT_VERSION


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    with bounded_memory():
        yield tmp_path_factory.mktemp('stores')


def written(folder):
    """A store, and a memory in the middle of an epoch."""
    store = AttentionStore()
    for number in range(5):
        size = (2, 3) if number % 2 else (4, 2)
        store[f'im{number}', number] = np.full(size, 9 * number, np.uint8)
    store.save(folder / 'whole_store')
    memory = AttentionAccumulator(fusion='mean')
    memory.store.update(store)
    memory.save(folder / 'whole_memory')
    names = ('whole_store', 'whole_memory')
    return [(folder / name).read_bytes() for name in names]


def read_everything(path):
    """All ways in which a store is read; those that are refused are None."""
    found = []
    for read in (AttentionStore.load, AttentionStore.open):
        maps = None
        with only_documented(path), nothing_is_run():
            maps = read(path)
            for pair in maps:
                assert maps[pair].dtype == np.uint8
                assert maps[pair].ndim == 2
                assert 0 <= pair[1] <= 65535
            assert_plain_ids({image_id for image_id, _ in maps})
        found.append(maps)
    with only_documented(path), nothing_is_run():
        AttentionAccumulator(fusion='mean').load(path)
    return found


def test_damaged_stores(folder):
    contents = written(folder)
    path = folder / 'damaged.safetensors'

    @cases(200)
    @given(mutated(contents))
    def run(content):
        path.write_bytes(content)
        read_everything(path)

    run()


def container(path, tensors, metadata=None, size=None):
    """A safetensors file with any header: name -> (dtype, shape, bytes)."""
    header = {'__metadata__': metadata or {
        'format': FORMAT, 'version': FORMAT_VERSION, 'checksum': '00000000',
    }}  # fmt: skip
    data = b''
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {
            'dtype': dtype,
            'shape': shape,
            'data_offsets': [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    size = len(text) if size is None else size
    path.write_bytes(size.to_bytes(8, 'little') + text + data)
    return path


def forged(ids=b'a\nb', **changes):
    """The tensors of a small valid store, with some replaced."""
    return {
        'image_ids': ('U8', [len(ids)], ids),
        'maps.1x2': ('U8', [2, 1, 2], b'\1\2\3\4'),
        'maps.1x2.image': ('U32', [2], bytes((0, 0, 0, 0, 1, 0, 0, 0))),
        'maps.1x2.class': ('U16', [2], bytes((0, 0, 1, 0))),
        **changes,
    }


def test_forged_stores_have_a_valid_original(folder):
    reader = AttentionStore.open(container(folder / 'valid', forged()))
    assert [(pair, reader[pair].tolist()) for pair in reader] == [
        (('a', 0), [[1, 2]]), (('b', 1), [[3, 4]]),
    ]  # fmt: skip


def test_ids_that_lead_out_of_the_folder(folder):
    out = folder / 'out'
    out.mkdir()

    def check(name):
        ids = f'{name}\nb'.encode(errors='surrogatepass')
        path = container(folder / 'ids.safetensors', forged(ids))
        for maps in read_everything(path):
            if maps is not None:
                store = AttentionStore()
                for pair in maps:
                    store[pair] = maps[pair]
                store.export_png(out)

    cases(150)(given(hostile_names)(check))()
    for name in HOSTILE_NAMES:
        check(name)
    found = folder.parent.glob('**/*escaped*')
    assert all(path.parent == out for path in found)
    # `..\escaped`, `/etc/passwd` and the like were refused, by name.
    path = container(folder / 'ids.safetensors', forged(b'../x\nb'))
    for read in (AttentionStore.load, AttentionStore.open):
        with pytest.raises(ValueError, match=r"damaged.*'\.\./x' cannot be"):
            read(path)


ANY_TENSOR = st.tuples(
    st.sampled_from(
        ('U8', 'U16', 'U32', 'I8', 'I64', 'F32', 'BF16', 'BOOL', 'F8_E4M3')
    ),
    st.lists(st.sampled_from((*NUMBERS, 2, 3)), max_size=4),
    st.binary(max_size=16),
)
ANY_NAME = st.sampled_from((
    'image_ids', 'maps.1x2', 'maps.1x2.image', 'maps.1x2.class', 'maps.0x2',
    'maps.1x0', 'maps.01x2', 'maps.१x2', 'maps.9999999999999999999x1',
    'sums.1x2', 'counts.1x2', 'other', '',
))  # fmt: skip


def test_forged_headers(folder):
    path = folder / 'header.safetensors'

    @cases(200)
    @given(
        st.dictionaries(ANY_NAME, ANY_TENSOR, min_size=1, max_size=3),
        st.sampled_from((None, *NUMBERS)),
        st.booleans(),
    )
    def run(changes, size, fitting):
        if fitting:  # the bytes are there that the header promises
            changes = {n: (d, [len(b)], b) for n, (d, _, b) in changes.items()}
            changes = {n: t for n, t in changes.items() if t[0] != 'BOOL'}
        read_everything(container(path, forged(**changes), size=size))

    run()


@pytest.mark.parametrize(
    'changes',
    [
        {'maps.1x2': ('I8', [2, 1, 2], b'\1\2\3\4')},
        {'maps.1x2': ('U16', [2, 1, 2], bytes(8))},
        {'maps.1x2.image': ('F32', [2], bytes(8))},
        {'maps.1x2.image': ('U32', [2, 1], bytes(8))},
        {'maps.1x2.image': ('U32', [2], b'\0\0\0\0\xff\xff\xff\xff')},
        {'maps.1x2.class': ('I16', [2], bytes(4))},
        {'maps.1x2.class': ('U16', [1], bytes(2))},
        {'other': ('BF16', [1], bytes(2))},
        {'image_ids': ('U8', [2], b'\xff\xfe')},
        {'image_ids': ('U8', [0], b'')},
    ],
)
def test_types_and_shapes_that_do_not_fit(folder, changes):
    path = container(folder / 'types.safetensors', forged(**changes))
    for read in (AttentionStore.load, AttentionStore.open):
        with pytest.raises(ValueError, match=r'types\.safetensors'):
            read(path)


@pytest.mark.parametrize('size', NUMBERS)
def test_length_of_a_header(folder, size):
    path = container(folder / 'long.safetensors', forged(), size=size)
    with bounded_memory(50), pytest.raises(ValueError, match='long'):
        AttentionStore.load(path)


def test_headers_that_are_nested_or_repeat(folder):
    path = folder / 'nested.safetensors'
    for text in (b'[' * 100_000, b'{"a":' * 100_000, b'{"a":{},"a":{}}'):
        path.write_bytes(len(text).to_bytes(8, 'little') + text)
        with pytest.raises(ValueError, match='nested'):
            AttentionStore.load(path)


def test_damaged_pngs(folder):
    inside = folder / 'pngs'
    inside.mkdir()
    path = inside / 'im_0.png'
    images = [
        Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10)),
        Image.new('P', (3, 2)), Image.new('I;16', (3, 2)),
    ]  # fmt: skip
    contents = []
    for image in images:
        image.save(path)
        contents.append(path.read_bytes())

    @cases(150)
    @given(mutated(contents))
    def run(content):
        path.write_bytes(content)
        with only_documented(path), nothing_is_run():
            (attention,) = AttentionStore.open(inside).values()
            assert (attention.ndim, attention.dtype) == (2, np.uint8)

    run()


def test_bombs_in_place_of_maps(folder, png_bomb, eps_bomb):
    inside = folder / 'bombs'
    inside.mkdir()
    for bomb in (png_bomb, eps_bomb):
        (inside / 'im_0.png').write_bytes(bomb)
        with (
            bounded_memory(50),
            nothing_is_run(),
            pytest.raises(ValueError, match=r'im_0\.png: not a readable'),
        ):
            AttentionStore.import_png(inside)


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (['a_1.png', 'a_01.png'], 'of one class; keep one'),
        (['a_१.png'], 'are named'),
        (['a_9999999999.png'], 'are named'),
        (['a_65536.png'], 'to 65535'),
        ([' a_1.png'], 'cannot be the stem'),
        (['a\x07_1.png'], 'cannot be the stem'),
        (['_1.png'], 'are named'),
        (['a\n_1.png'], 'are named'),
        (['.._1.png'], 'cannot be the stem'),
    ],
)
def test_names_of_maps(tmp_path, names, message):
    for name in names:
        Image.new('L', (2, 2)).save(tmp_path / name)
    with pytest.raises(ValueError, match=message):
        AttentionStore.import_png(tmp_path)


def test_a_folder_called_like_a_map(tmp_path):
    (tmp_path / 'a_1.png').mkdir()
    with pytest.raises(ValueError, match=r'a_1\.png'):
        AttentionStore.import_png(tmp_path)


def test_any_name_of_a_map(folder):
    inside = folder / 'names'
    inside.mkdir()

    @cases(60)
    @given(
        st.text(
            st.characters(exclude_characters='/\0', exclude_categories=['Cs']),
            max_size=20,
        )
    )
    def run(name):
        path = inside / f'{name}.png'
        Image.new('L', (2, 2)).save(path, 'PNG')
        maps = ()
        try:
            with only_documented(inside):
                maps = AttentionStore.import_png(inside)
        finally:
            path.unlink()
        assert_plain_ids(image_id for image_id, _ in maps)

    run()
