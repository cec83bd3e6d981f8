"""Pixels of photographs and of saliency maps."""

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from PIL import Image

from oaa_mm.io import read_grey, read_image, write_image

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)


def photograph(path, mode='RGB', **options):
    Image.fromarray(PIXELS).convert(mode).save(path, **options)
    return path


def trained_on(path):
    """The image that a training sees, as RGB."""
    image = LoadImageFromFile()({'img_path': str(path)})['img']
    return image[..., ::-1]


@pytest.mark.parametrize(
    'mode', ['RGB', 'RGBA', 'L', 'LA', 'P', '1', 'CMYK', 'I;16']
)
def test_images_are_read_as_in_training(tmp_path, mode):
    path = tmp_path / ('a.jpg' if mode == 'CMYK' else 'a.png')
    if mode == 'I;16':
        deep = PIXELS[..., 0].astype(np.uint16) * 256
        Image.fromarray(deep).save(path)
    else:
        photograph(path, mode)
    image = read_image(path)
    assert image.shape == (12, 20, 3)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, trained_on(path))


@pytest.mark.parametrize('orientation', range(1, 9))
def test_photographs_are_turned(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = photograph(tmp_path / 'a.png', exif=exif)
    image = read_image(path)
    assert image.shape[:2] == ((12, 20) if orientation < 5 else (20, 12))
    np.testing.assert_array_equal(image, trained_on(path))
    if orientation == 6:  # the camera was held upright: turned clockwise
        np.testing.assert_array_equal(image, np.rot90(PIXELS, -1))


def test_images_that_training_cannot_read(tmp_path):
    path = tmp_path / 'a.tif'
    Image.fromarray(np.ones((4, 4), np.int32)).save(path)
    path.write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match=r'b\.jpg: not a readable image'):
        read_image(_written(tmp_path / 'b.jpg', b'nothing'))
    with pytest.raises(FileNotFoundError, match=r'gone\.jpg'):
        read_image(tmp_path / 'gone.jpg')


def _written(path, content):
    path.write_bytes(content)
    return path


GREYS = np.array([[0, 10, 200, 255]], np.uint8)


@pytest.mark.parametrize('mode', ['L', 'LA', 'P', 'RGB', 'RGBA'])
def test_saliency_maps_of_any_kind(tmp_path, mode):
    path = tmp_path / 'a.png'
    Image.fromarray(GREYS).convert(mode).save(path)
    np.testing.assert_array_equal(read_grey(path), GREYS)


def test_deep_and_1_bit_saliency_maps(tmp_path):
    path = tmp_path / 'a.png'
    Image.fromarray(GREYS.astype(np.uint16) * 257).save(path)
    np.testing.assert_array_equal(read_grey(path), GREYS)
    Image.fromarray(GREYS > 100).save(path)
    assert read_grey(path).tolist() == [[0, 0, 255, 255]]


def test_saliency_maps_in_a_grey_jpeg(tmp_path):
    path = tmp_path / 'a.png'
    smooth = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    Image.fromarray(smooth).convert('RGB').save(path, format='JPEG')
    assert np.abs(read_grey(path).astype(int) - smooth).max() < 20


def test_refused_saliency_maps(tmp_path):
    path = photograph(tmp_path / 'photo.png')
    with pytest.raises(ValueError, match=r'photo\.png shows colours'):
        read_grey(path)
    path = tmp_path / 'float.tif'
    Image.fromarray(GREYS / np.float32(255)).save(path)
    with pytest.raises(ValueError, match=r'float\.tif holds values from'):
        read_grey(path)
    with pytest.raises(FileNotFoundError, match=r'gone\.png'):
        read_grey(tmp_path / 'gone.png')


def test_a_map_in_which_nothing_is_salient_is_one(tmp_path):
    path = tmp_path / 'a.png'
    for values in (GREYS * 0, (GREYS > 100).astype(np.uint8)):
        Image.fromarray(values).save(path)
        np.testing.assert_array_equal(read_grey(path), values)


@pytest.mark.parametrize('name', ['new/a.png', 'a.jpg'])
def test_written_images_are_read(tmp_path, name):
    smooth = np.full((8, 8, 3), (200, 100, 50), np.uint8)
    write_image(tmp_path / name, smooth)
    difference = read_image(tmp_path / name).astype(int) - smooth
    assert np.abs(difference).max() < 3
