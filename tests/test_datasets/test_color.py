"""Colour jitter."""

import itertools
from importlib import metadata

import mmcv
import numpy as np
import pytest
from PIL import Image, ImageEnhance

from oaa_mm.datasets import ColorJitter
from oaa_mm.datasets.transforms.color import _turn_hue
from oaa_mm.registry import TRANSFORMS

NAMES = ('brightness', 'contrast', 'saturation', 'hue')


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (12, 17, 3), dtype=np.uint8)


def only(name, value):
    return ColorJitter(**{n: value if n == name else 0.0 for n in NAMES})


def test_zero_ranges_change_nothing(image):
    jitter = ColorJitter(0, 0, 0, 0)
    for _ in range(3):
        result = jitter({'img': image.copy()})['img']
        assert np.array_equal(result, image)


def test_shape_type_and_other_keys_are_kept(image):
    results = ColorJitter()({'img': image, 'img_shape': (12, 17)})
    assert results['img'].shape == image.shape
    assert results['img'].dtype == np.uint8
    assert results['img_shape'] == (12, 17)
    assert not np.array_equal(results['img'], image)


def test_the_image_handed_in_is_not_written_to(image):
    before = image.copy()
    ColorJitter()({'img': image})
    assert np.array_equal(image, before)


def test_float_images_of_the_loader_work(image):
    result = ColorJitter(hue=0)({'img': image.astype(np.float32)})['img']
    assert result.shape == image.shape


def test_factors_fill_their_ranges():
    jitter = ColorJitter(0.3, 0.2, 1.5, 0.1)
    np.random.seed(0)
    drawn = [jitter._draw()[0] for _ in range(2000)]
    for name, low, high in (
        ('brightness', 0.7, 1.3),
        ('contrast', 0.8, 1.2),
        ('saturation', 0.0, 2.5),  # not below 0
        ('hue', -0.1, 0.1),
    ):
        values = np.array([factors[name] for factors in drawn])
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.04)


def test_all_orders_occur():
    jitter = ColorJitter()
    np.random.seed(0)
    orders = {tuple(jitter._draw()[1]) for _ in range(600)}
    assert orders == set(itertools.permutations(NAMES))


def test_order_matters_and_is_the_one_drawn(image):
    results = set()
    for order in (NAMES, NAMES[::-1]):
        jitter = ColorJitter()
        factors = {
            'brightness': 1.3,
            'contrast': 0.8,
            'saturation': 1.2,
            'hue': 0.1,
        }
        jitter._draw = lambda f=factors, o=order: (f, list(o))
        result = jitter({'img': image})['img']
        expected = image
        for name in order:
            change = {
                'brightness': mmcv.adjust_brightness,
                'contrast': mmcv.adjust_contrast,
                'saturation': mmcv.adjust_color,
                'hue': _turn_hue,
            }[name]
            expected = change(expected, factors[name])
        assert np.array_equal(result, expected)
        results.add(result.tobytes())
    assert len(results) == 2


@pytest.mark.parametrize(
    ('name', 'enhance'),
    [
        ('brightness', ImageEnhance.Brightness),
        ('contrast', ImageEnhance.Contrast),
        ('saturation', ImageEnhance.Color),
    ],
)
@pytest.mark.parametrize('factor', [0.7, 1.3])
def test_changes_are_those_of_pillow(image, name, enhance, factor):
    jitter = only(name, 0.5)
    jitter._draw = lambda: ({name: factor}, [name])
    result = jitter({'img': image})['img'].astype(int)
    rgb = Image.fromarray(image[..., ::-1])
    expected = np.asarray(enhance(rgb).enhance(factor))[..., ::-1].astype(int)
    # Grey is rounded, or cut off, at different places.
    assert np.abs(result - expected).max() <= 2


@pytest.mark.parametrize(
    ('turns', 'expected'),
    [
        # From red backwards to blue, forwards to green, across to cyan.
        (-1 / 3, [240, 0, 0]),
        (1 / 3, [0, 240, 0]),
        (-0.5, [240, 240, 0]),
        (0.5, [240, 240, 0]),
        (0.0, [0, 0, 240]),
    ],
)
def test_hue_turns_both_ways(turns, expected):
    red = np.zeros((2, 3, 3), np.uint8)
    red[..., 2] = 240
    # Two of the 256 steps of the circle: 6 * 240 / 256 grey levels each.
    assert np.abs(_turn_hue(red, turns).astype(int) - expected).max() < 12
    assert red[0, 0].tolist() == [0, 0, 240]


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_hue_is_that_of_onedl_mmcv_bit_for_bit(dtype):
    try:
        metadata.distribution('onedl-mmcv')
    except metadata.PackageNotFoundError:
        pytest.skip('upstream mmcv fails for negative hues under numpy 2')
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (40, 50, 3)).astype(dtype)
    for hue in np.linspace(-0.5, 0.5, 203):
        found = _turn_hue(image, hue)
        assert found.dtype == dtype
        assert np.array_equal(found, mmcv.adjust_hue(image, hue))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'brightness': -0.1}, r'brightness should be in \[0, inf\).*-0.1'),
        ({'contrast': -1}, 'contrast'),
        ({'saturation': -1}, 'saturation'),
        ({'hue': -0.1}, r'hue should be in \[0, 0.5\]'),
        ({'hue': 0.6}, r'hue should be in \[0, 0.5\], but got 0.6'),
    ],
)
def test_ranges_that_make_no_sense(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ColorJitter(**kwargs)


def test_built_by_name_and_shown_with_its_ranges():
    jitter = TRANSFORMS.build({'type': 'ColorJitter', 'hue': 0.2})
    assert repr(jitter) == (
        'ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.2)'
    )
