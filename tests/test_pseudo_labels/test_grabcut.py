"""GrabCut: attention that misses an object's edges finds them by colours."""

import numpy as np
import pytest
from test_pseudo_labels.test_regions import scene

from oaa_mm.pseudo_labels import build_refine, compose_label

POWER = {'background': 'power'}


def wrong(label, mask):
    return (label != mask).mean()


def test_objects_are_found_by_their_colours():
    image, mask, maps = scene(size=48)
    refine = build_refine('grabcut', {'shrink': 1.0})
    plain = compose_label(maps, **POWER)
    label = compose_label(maps, image=image, refine=refine, **POWER)
    assert wrong(plain, mask) > 0.1
    assert wrong(label, mask) < 0.01
    # Background is sure or not at all; the label of foreground is sure.
    scores = np.stack([np.ones_like(mask) * 0.5, *maps.values()])
    first, second = refine(image, scores), refine(image, scores)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first.argmax(0), label)
    around = label == 0
    np.testing.assert_array_equal(first[0], around)
    other = first[1:][:, around]
    np.testing.assert_array_equal(other, scores[1:][:, around].astype('f4'))
    # Where attention is, background is not certain.
    rules = dict(attention_threshold=0.1, **POWER)
    careful = compose_label(maps, image=image, refine=refine, **rules)
    attended = np.max([*maps.values()], 0) > 0.1
    expected = np.where(around & attended, 255, label)
    np.testing.assert_array_equal(careful, expected)


@pytest.mark.parametrize('attention', [0.0, 1.0])
def test_without_two_sides_the_scores_stay(attention):
    image, mask, _ = scene()
    scores = np.stack(
        [np.full(mask.shape, 0.3), np.full(mask.shape, attention)]
    )
    refined = build_refine('grabcut')(image, scores)
    np.testing.assert_array_equal(refined, scores.astype(np.float32))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'certain': 0.2}, 'should rise, but got 0.05, 0.35 and 0.2'),
        ({'background': -0.1}, 'background'),
        ({'shrink': 0}, 'shrink'),
        ({'steps': 0}, 'steps'),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    image, mask, _ = scene()
    refine = build_refine('grabcut', options)
    with pytest.raises(ValueError, match=message):
        refine(image, np.zeros((2, *mask.shape), np.float32))
