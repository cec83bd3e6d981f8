"""Colours of attention and masks over an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmseg.utils import voc_palette

from oaa_mm.visualization import (
    class_color,
    overlay_attention,
    overlay_mask,
)
from oaa_mm.visualization.overlay import RAMP_PEAK, attention_ramp


def test_class_colors_are_those_of_voc():
    # mmseg lists the same colours, background first.
    for index in range(20):
        assert list(class_color(index)) == voc_palette()[index + 1]


def test_ramp_goes_from_black_over_the_class_color_to_a_tint():
    ramp = attention_ramp(np.array([[0, RAMP_PEAK / 2, RAMP_PEAK, 1]]), 11)
    np.testing.assert_allclose(ramp[0, 0], [0, 0, 0])
    np.testing.assert_allclose(ramp[0, 1], [32, 0, 64], atol=0.1)
    np.testing.assert_allclose(ramp[0, 2], [64, 0, 128], atol=0.1)
    np.testing.assert_allclose(ramp[0, 3], [159.5, 127.5, 191.5], atol=0.1)


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)


def test_alpha_zero_is_the_image_and_one_the_ramp(image):
    attention = {11: np.full((3, 4), 153, np.uint8)}  # 0.6, the ramp's peak
    same = overlay_attention(image, attention, alpha=0)
    np.testing.assert_array_equal(same, image)
    pure = overlay_attention(image, attention, alpha=1)
    np.testing.assert_allclose(
        pure.reshape(-1, 3), [class_color(11)] * 192, atol=1
    )


def test_uint8_and_float_maps_are_the_same(image):
    small = np.random.default_rng(1).integers(0, 256, (3, 4)).astype(np.uint8)
    np.testing.assert_array_equal(
        overlay_attention(image, {2: small}),
        overlay_attention(image, {2: small.astype(np.float32) / 255}),
    )


def test_no_attention_darkens_to_grey(image):
    shown = overlay_attention(image, {}, alpha=0.6)
    weak = overlay_attention(image, {0: np.zeros((2, 2), np.uint8)})
    np.testing.assert_array_equal(shown, weak)
    assert (shown <= 0.4 * 255 + 1).all()


def test_each_class_has_its_color_where_it_is_strong():
    grey = np.full((4, 8, 3), 128, np.uint8)
    left = np.repeat([[153, 0]], 4, 1).repeat(4, 0).astype(np.uint8)
    shown = overlay_attention(grey, {7: left, 14: left[:, ::-1]}, alpha=1)
    np.testing.assert_allclose(shown[:, 0], [class_color(7)] * 4, atol=1)
    np.testing.assert_allclose(shown[:, -1], [class_color(14)] * 4, atol=1)


@given(alpha=st.floats(0, 1), value=st.integers(0, 255))
def test_no_overflow(alpha, value):
    white = np.full((2, 3, 3), 255, np.uint8)
    maps = {c: np.full((2, 3), value, np.uint8) for c in (0, 5)}
    shown = overlay_attention(white, maps, alpha=alpha)
    # White never wraps around to black: the image keeps its own share.
    assert shown.min() >= np.floor((1 - alpha) * 255)


def test_mask_colors():
    grey = np.full((1, 3, 3), 100, np.uint8)
    mask = np.array([[0, 12, 255]], np.uint8)
    shown = overlay_mask(grey, mask, alpha=1)
    assert shown[0].tolist() == [[0, 0, 0], [64, 0, 128], [224, 224, 192]]
    half = overlay_mask(grey, mask, alpha=0.5)
    assert half[0].tolist() == [[50, 50, 50], [82, 50, 114], [162, 162, 146]]


@pytest.mark.parametrize(
    ('bad', 'alpha', 'match'),
    [
        (np.zeros((2, 2), np.uint8), 0.5, r'\(H, W, 3\).*\(2, 2\)'),
        (np.zeros((2, 2, 3), np.float32), 0.5, 'float32'),
        (np.zeros((2, 2, 3), np.uint8), 1.5, 'alpha.*1.5'),
    ],
)
def test_errors(bad, alpha, match):
    with pytest.raises(ValueError, match=match):
        overlay_attention(bad, {}, alpha=alpha)


def test_mask_of_another_size():
    with pytest.raises(
        ValueError, match=r'mask is \(2, 3\).*image is \(2, 2\)'
    ):
        overlay_mask(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3), np.uint8))
