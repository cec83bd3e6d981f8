"""Contrast: what looks like the border of the image is background."""

import numpy as np
import pytest

from oaa_mm.pseudo_labels import build_refine, compose_label
from oaa_mm.pseudo_labels.contrast import contrast_saliency

pytest.importorskip('skimage', reason='superpixels need scikit-image')


def two_things(size=120):
    """Sky over grass, both up to the border, and a brown thing on them."""
    rng = np.random.default_rng(0)
    image = np.empty((size, size, 3))
    image[: size // 2] = 120, 160, 220
    image[size // 2 :] = 70, 140, 60
    thing = np.zeros((size, size), bool)
    thing[size // 3 : -size // 3, size // 3 : -size // 4] = True
    image[thing] = 120, 70, 40
    image += rng.normal(0, 4, image.shape)
    return image.clip(0, 255).astype(np.uint8), thing


def test_what_goes_on_to_the_border_is_not_salient():
    image, thing = two_things()
    saliency = contrast_saliency(image)
    assert saliency.dtype == np.float32
    assert saliency.shape == thing.shape
    assert saliency.min() >= 0
    assert saliency.max() <= 1
    assert np.median(saliency[thing]) > 0.8
    assert np.median(saliency[~thing]) < 0.2
    # Nothing of it depends on the size of the image.
    small, smaller_thing = two_things(60)
    assert np.median(contrast_saliency(small)[smaller_thing]) > 0.8


def test_labels_lose_the_surroundings_of_an_object():
    image, thing = two_things()
    # Attention has learnt that the grass belongs to the object.
    attention = np.where(thing, 1.0, 0.1).astype(np.float32)
    attention[70:] = 0.8
    plain = compose_label({3: attention}, background='power')
    label = compose_label(
        {3: attention},
        background='power',
        image=image,
        refine=build_refine('contrast'),
    )
    assert (plain == np.where(thing, 4, 0)).mean() < 0.7
    assert (label == np.where(thing, 4, 0)).mean() > 0.95


@pytest.mark.parametrize('weight', [0.0, 0.25, 1.0])
def test_scores_are_weighted_means(weight):
    image, _ = two_things(40)
    scores = np.random.default_rng(1).uniform(0.1, 1, (3, 40, 40))
    refined = build_refine('contrast', {'weight': weight})(image, scores)
    saliency = contrast_saliency(image).astype(np.float64)
    classes = np.exp(
        (1 - weight) * np.log(scores[1:])
        + weight * np.log(np.maximum(saliency, 1e-300))
    )
    rest = (1 - weight) * scores[0] + weight * (1 - saliency)
    assert refined.dtype == np.float32
    np.testing.assert_allclose(refined[1:], classes / classes.max(), atol=1e-5)
    np.testing.assert_allclose(refined[0], rest, atol=1e-5)


@pytest.mark.parametrize('shape', [(1, 1), (1, 40), (33, 2)])
def test_an_image_of_one_colour_tells_nothing(shape):
    image = np.full((*shape, 3), 90, np.uint8)
    scores = np.random.default_rng(0).uniform(0, 1, (2, *shape))
    refined = build_refine('contrast')(image, scores)
    np.testing.assert_array_equal(refined, scores.astype(np.float32))


def test_an_image_without_classes_keeps_its_background():
    image, _ = two_things(30)
    refined = build_refine('contrast')(image, np.ones((1, 30, 30)))
    assert refined.shape == (1, 30, 30)


@pytest.mark.parametrize('options', [{'weight': 1.5}, {'superpixels': 1}])
def test_parameters_out_of_range_are_refused(options):
    image, _ = two_things(20)
    with pytest.raises(ValueError, match=next(iter(options))):
        build_refine('contrast', options)(image, np.ones((2, 20, 20)))
