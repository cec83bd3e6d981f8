from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from oaa_mm.io import classes_in, read_mask, voc_colormap, write_mask
from oaa_mm.io.masks import require_class

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
    with pytest.raises(ValueError, match=f'but got {n}'):
        voc_colormap(n)


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_round_trip(tmp_path_factory, index):
    path = tmp_path_factory.getbasetemp() / 'mask.png'
    write_mask(path, index)
    found = read_mask(path)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, index)


def test_written_file_shows_the_colors(tmp_path):
    path = tmp_path / 'new' / 'mask.png'
    write_mask(path, np.array([[0, 15, 255]], np.uint8))
    image = Image.open(path)
    assert image.mode == 'P'
    shown = np.array(image.convert('RGB'))[0]
    assert [tuple(c) for c in shown] == [KNOWN[i] for i in (0, 15, 255)]
    assert [p.name for p in path.parent.iterdir()] == ['mask.png']


def test_reads_greyscale(tmp_path):
    path = tmp_path / 'grey.png'
    Image.fromarray(np.array([[0, 3], [20, 255]], np.uint8)).save(path)
    assert read_mask(path).tolist() == [[0, 3], [20, 255]]


@pytest.mark.parametrize(
    'wrong',
    [np.zeros((2, 2), np.int64), np.zeros((2, 2, 3), np.uint8)],
    ids=['int64', 'colour'],
)
def test_write_refuses_other_arrays(tmp_path, wrong):
    with pytest.raises(ValueError, match=r'\(H, W\) uint8 array, but got'):
        write_mask(tmp_path / 'a.png', wrong)
    assert not list(tmp_path.iterdir())


@given(st.sampled_from(['RGB', 'RGBA', 'LA']))
def test_read_refuses_colors_by_name(tmp_path_factory, mode):
    path = tmp_path_factory.getbasetemp() / 'colour.png'
    Image.new(mode, (2, 2)).save(path)
    with pytest.raises(ValueError, match=rf'colour\.png holds {mode} pix'):
        read_mask(path)


def test_read_says_what_is_absent_or_broken(tmp_path):
    path = tmp_path / 'mask.png'
    with pytest.raises(FileNotFoundError, match=r'no such image .*mask\.png'):
        read_mask(path)
    write_mask(path, np.zeros((50, 50), np.uint8))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r'mask\.png: not a readable'):
        read_mask(path)
    path.write_text('no image')
    with pytest.raises(ValueError, match=r'mask\.png: not a readable'):
        read_mask(path)


def saved(path, values, dtype=np.uint8, mode=None):
    image = Image.fromarray(np.array([values], dtype))
    (image.convert(mode) if mode else image).save(path)
    return path


def test_deep_masks_are_never_wrapped(tmp_path):
    path = saved(tmp_path / 'a.png', [0, 1, 2, 255], np.uint16)
    assert read_mask(path, 2).tolist() == [[0, 1, 2, 255]]
    path = saved(tmp_path / 'b.png', [0, 257, 258], np.uint16)
    for count in (None, 2):
        with pytest.raises(ValueError, match=r'b\.png: .* 257, 258'):
            read_mask(path, count)
    path = saved(tmp_path / 'c.tif', [0, -1, 70000], np.int32)
    with pytest.raises(ValueError, match=r'c\.tif.* -1, 70000'):
        read_mask(path)
    path = saved(tmp_path / 'd.tif', [0, 0.5], np.float32)
    with pytest.raises(ValueError, match=r'd\.tif: .* the value 0\.5'):
        read_mask(path)


def test_one_bit_is_class_1(tmp_path):
    path = saved(tmp_path / 'a.png', [0, 255], mode='1')
    assert read_mask(path, 1).tolist() == [[0, 1]]
    assert read_mask(path, 1, binary=True).tolist() == [[0, 1]]


def test_values_that_are_no_class(tmp_path):
    path = saved(tmp_path / 'a.png', [0, 3, 4, 9, 255])
    assert read_mask(path, 9).max() == 255
    match = r'a\.png: .* values 4, 9, .* 1 to 3 \(classes\) and 255'
    with pytest.raises(ValueError, match=match):
        read_mask(path, 3)


def test_masks_of_0_and_255(tmp_path):
    path = saved(tmp_path / 'a.png', [0, 255])
    with pytest.raises(ValueError, match=r'a\.png: .*--binary-masks'):
        read_mask(path, 1)
    assert read_mask(path, 1, binary=True).tolist() == [[0, 1]]
    assert read_mask(path).tolist() == [[0, 255]]
    # Of several classes, an image may have none.
    assert read_mask(path, 2).tolist() == [[0, 255]]
    path = saved(tmp_path / 'b.png', [0, 2, 255])
    with pytest.raises(ValueError, match=r'b\.png: .* value 2, '):
        read_mask(path, 1, binary=True)


def test_masks_without_any_class():
    require_class(True, 'masks')
    with pytest.raises(ValueError, match=r'masks: no pixel .*--binary-masks'):
        require_class(False, 'masks')


def test_classes_in():
    mask = np.array([[0, 255, 7], [1, 7, 0]], np.uint8)
    assert classes_in(mask) == (0, 6)
    assert classes_in(np.zeros((2, 2), np.uint8)) == ()
