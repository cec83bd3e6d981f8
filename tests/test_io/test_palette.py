from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from oaa_mm.io.palette import (
    read_index_png,
    voc_colormap,
    write_index_png,
)

# From the development kit of PASCAL VOC 2012.
KNOWN = {
    0: (0, 0, 0),
    1: (128, 0, 0),  # aeroplane
    8: (64, 0, 0),  # cat
    15: (192, 128, 128),  # person
    20: (0, 64, 128),  # tv monitor
    255: (224, 224, 192),  # void
}


def test_colors_of_the_development_kit():
    colors = voc_colormap()
    assert colors.shape == (256, 3)
    assert {i: tuple(colors[i]) for i in KNOWN} == KNOWN


def test_all_colors_differ():
    assert len(np.unique(voc_colormap(), axis=0)) == 256


def test_colormap_is_a_copy():
    voc_colormap(3)[:] = 9
    assert tuple(voc_colormap(3)[1]) == (128, 0, 0)


@pytest.mark.parametrize('n', [-1, 257])
def test_colormap_refuses_other_numbers(n):
    with pytest.raises(ValueError, match=f'0..256, but got {n}'):
        voc_colormap(n)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_round_trip(tmp_path_factory, index):
    path = tmp_path_factory.getbasetemp() / 'mask.png'
    write_index_png(path, index)
    found = read_index_png(path)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, index)


def test_written_file_shows_the_colors(tmp_path):
    path = tmp_path / 'new' / 'mask.png'
    write_index_png(path, np.array([[0, 15, 255]], np.uint8))
    image = Image.open(path)
    assert image.mode == 'P'
    shown = np.array(image.convert('RGB'))[0]
    assert [tuple(c) for c in shown] == [KNOWN[i] for i in (0, 15, 255)]
    assert [p.name for p in path.parent.iterdir()] == ['mask.png']


def test_reads_greyscale(tmp_path):
    path = tmp_path / 'grey.png'
    Image.fromarray(np.array([[0, 3], [20, 255]], np.uint8)).save(path)
    assert read_index_png(path).tolist() == [[0, 3], [20, 255]]


@pytest.mark.parametrize(
    'wrong',
    [np.zeros((2, 2), np.int64), np.zeros((2, 2, 3), np.uint8)],
    ids=['int64', 'colour'],
)
def test_write_refuses_other_arrays(tmp_path, wrong):
    with pytest.raises(ValueError, match=r'\(H, W\) uint8 array, but got'):
        write_index_png(tmp_path / 'a.png', wrong)
    assert not list(tmp_path.iterdir())


@given(st.sampled_from(['RGB', 'RGBA', 'I;16']))
def test_read_refuses_colors_by_name(tmp_path_factory, mode):
    path = tmp_path_factory.getbasetemp() / 'colour.png'
    Image.new(mode, (2, 2)).save(path)
    with pytest.raises(ValueError, match=rf'colour\.png holds {mode} pix'):
        read_index_png(path)


def test_read_says_what_is_absent_or_broken(tmp_path):
    path = tmp_path / 'mask.png'
    with pytest.raises(FileNotFoundError, match=r'no such image .*mask\.png'):
        read_index_png(path)
    write_index_png(path, np.zeros((50, 50), np.uint8))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r'mask\.png: not a readable'):
        read_index_png(path)
    path.write_text('no image')
    with pytest.raises(ValueError, match=r'mask\.png: not a readable'):
        read_index_png(path)
