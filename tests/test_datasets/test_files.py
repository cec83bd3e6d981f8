"""Image files: whole, broken, turned."""

import warnings

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from oaa_mm.datasets.files import inspect_image


def picture(height=24, width=31):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


FORMATS = ['jpg', 'png', 'bmp', 'gif', 'tif', 'webp']


@pytest.mark.parametrize('suffix', FORMATS)
def test_size_is_height_and_width(tmp_path, suffix):
    path = tmp_path / f'image.{suffix}'
    picture(24, 31).save(path)
    assert inspect_image(path)[0] == (24, 31)
    assert inspect_image(str(path))[0] == (24, 31)


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_size_is_that_of_the_turned_image(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f'image.{suffix}'
    picture().save(path, exif=exif)
    # The turns by a quarter are 5 to 8. OpenCV loads, and its older versions
    # turn no WebP.
    expected = (31, 24) if orientation >= 5 else (24, 31)
    loaded = cv2.imread(str(path)).shape[:2]
    assert loaded == expected or suffix == 'webp'
    assert inspect_image(path)[0] == loaded


@pytest.mark.filterwarnings('ignore:Truncated File Read')
@pytest.mark.parametrize('suffix', FORMATS)
@pytest.mark.parametrize('share', [0.0, 0.05, 0.5, 0.95])
def test_truncated_files_are_named(tmp_path, suffix, share):
    path = tmp_path / f'image.{suffix}'
    picture().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf'image\.{suffix}: not a readable'):
        inspect_image(path)


def test_missing_last_bytes_of_a_jpeg_are_noticed(tmp_path):
    # Some lines of the picture are missing although the header is intact.
    path = tmp_path / 'image.jpg'
    picture(200, 300).save(path, quality=95)
    content = path.read_bytes()
    path.write_bytes(content[:-2000])
    with pytest.raises(ValueError, match=r'image\.jpg.*truncated'):
        inspect_image(path)


def test_bytes_behind_the_end_do_no_harm(tmp_path):
    # Cameras append previews; the picture itself is whole.
    for suffix in ('jpg', 'png'):
        path = tmp_path / f'image.{suffix}'
        picture().save(path)
        with path.open('ab') as file:
            file.write(b'\0' * 100)
        assert inspect_image(path)[0] == (24, 31)


@pytest.mark.parametrize('size', [(1, 9), (9, 1), (1, 1)])
def test_one_pixel_is_too_small(tmp_path, size):
    path = tmp_path / 'image.png'
    picture(*size).save(path)
    message = rf'image\.png: {size[1]}x{size[0]} pixels'
    with pytest.raises(ValueError, match=message):
        inspect_image(path)


def test_two_pixels_are_enough(tmp_path):
    path = tmp_path / 'image.png'
    picture(2, 2).save(path)
    assert inspect_image(path)[0] == (2, 2)


def test_absent_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.jpg'):
        inspect_image(tmp_path / 'gone.jpg')


@pytest.mark.parametrize('content', [b'', b'\xff\xd9', b'<html></html>'])
def test_what_is_no_image_is_named(tmp_path, content):
    path = tmp_path / 'image.jpg'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'image\.jpg: not a readable image'):
        inspect_image(path)


def test_folder_in_place_of_a_file(tmp_path):
    (tmp_path / 'image.jpg').mkdir()
    with pytest.raises(ValueError, match=r'image\.jpg: not a readable image'):
        inspect_image(tmp_path / 'image.jpg')


@pytest.fixture(scope='module', params=['jpg', 'png', 'bmp', 'gif'])
def whole_file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp('whole') / f'image.{request.param}'
    picture().save(path)
    return path.read_bytes(), path.with_name('damaged')


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damage_of_any_kind_is_a_size_or_a_named_error(whole_file, data):
    content, path = whole_file
    damaged = bytearray(content)
    places = st.integers(0, min(150, len(content)) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(places)] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(damaged))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            height, width = inspect_image(path)[0]
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017 (or a size)
        else:
            assert min(height, width) >= 2


def test_damaged_header_of_a_png_is_named(tmp_path):
    # Pillow raises a plain ValueError here: the header chunk is too short.
    path = tmp_path / 'image.png'
    picture().save(path)
    content = bytearray(path.read_bytes())
    content[11] = 5
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r'image\.png: not a readable image'):
        inspect_image(path)
