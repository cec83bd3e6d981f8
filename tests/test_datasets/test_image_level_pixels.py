"""Every kind of image file comes out as three channels, blue first."""

import numpy as np
import pytest
from PIL import Image

from oaa_mm.datasets import ImageLevelDataset


def smooth(height=40, width=56):
    """An RGB picture that JPEG keeps almost as it is."""
    y, x = np.mgrid[:height, :width]
    channels = (4 * y + 40, 3 * x + 40, 200 - 2 * x - y)
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def load(folder, name):
    (folder / 'list.txt').write_text(f'{name} 0\n')
    dataset = ImageLevelDataset(
        'list.txt',
        data_root=str(folder),
        metainfo={'classes': ('thing',)},
        pipeline=[{'type': 'LoadImageFromFile'}],
    )
    results = dataset[0]
    shape = results['img'].shape
    assert results['placement'].frame == shape[:2]
    info = dataset.get_data_info(0)
    assert (info['height'], info['width']) == info['input_size'] == shape[:2]
    return results['img']


def as_bgr(path):
    with Image.open(path) as image:
        return np.asarray(image.convert('RGB'))[..., ::-1].astype(int)


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'bmp', 'tif', 'webp'])
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_colour_and_greyscale(tmp_path, mode, suffix):
    path = tmp_path / f'image.{suffix}'
    smooth().convert(mode).save(path)
    image = load(tmp_path, path.name)
    assert image.shape == (40, 56, 3)
    assert image.dtype == np.uint8
    # Decoders of lossy formats round differently.
    limit = 3 if suffix in ('jpg', 'webp') else 0
    assert np.abs(image - as_bgr(path)).max() <= limit


@pytest.mark.parametrize('mode', ['RGBA', 'LA', 'P', '1'])
def test_transparency_palettes_and_bits(tmp_path, mode):
    path = tmp_path / 'image.png'
    picture = smooth()
    if mode in ('RGBA', 'LA'):
        alpha = np.tile(np.arange(56, dtype=np.uint8) * 4, (40, 1))
        picture.putalpha(Image.fromarray(alpha))
    picture.convert(mode).save(path)
    image = load(tmp_path, path.name)
    assert image.shape == (40, 56, 3)
    assert np.array_equal(image, as_bgr(path))


def test_cmyk(tmp_path):
    path = tmp_path / 'image.jpg'
    smooth().convert('CMYK').save(path, quality=95)
    image = load(tmp_path, path.name)
    assert image.shape == (40, 56, 3)
    # No colour profile: the conversions differ a little, never the colours.
    assert np.abs(image - as_bgr(path)).max() <= 4


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_turned_photographs_are_loaded_as_they_are_shown(
    tmp_path, suffix, orientation
):
    from PIL import ImageOps

    path = tmp_path / f'image.{suffix}'
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth().save(path, exif=exif)
    with Image.open(path) as image:
        shown = np.asarray(ImageOps.exif_transpose(image))[..., ::-1]
    loaded = load(tmp_path, path.name)
    assert loaded.shape == shown.shape
    assert np.abs(loaded - shown.astype(int)).max() <= 3
