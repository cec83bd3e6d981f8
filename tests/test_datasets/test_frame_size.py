"""The size of an image at the scale that stands for all drawn ones."""

import copy

import numpy as np
import pytest
from mmcv.transforms import RandomChoiceResize, RandomResize
from mmseg.registry import TRANSFORMS
from ramp_images import LOAD, write_image

from oaa_mm.datasets.transforms import RecordingCompose
from oaa_mm.datasets.transforms.frame_size import frame_scale, size_after

SHORTEST = {'resize_type': 'ResizeShortestEdge', 'max_size': 2048}


@pytest.mark.parametrize(
    ('scales', 'expected'),
    [
        ([192, 224, 256], 224),
        ([256, 192, 224], 224),  # the order of the list does not matter
        ([128, 256], 256),  # the larger one of two
        ([224], 224),
        ([128, 512, 256, 384], 384),
        # Areas 3200, 4096 and 10000.
        ([(100, 100), (80, 40), (64, 64)], (64, 64)),
        ([(2048, 192), (2048, 256), (2048, 224)], (2048, 224)),
    ],
)
def test_scale_in_the_middle(scales, expected):
    assert frame_scale(RandomChoiceResize(scales)) == expected


@pytest.mark.parametrize(
    ('scale', 'ratio_range', 'expected'),
    [
        ((2048, 224), (0.5, 2.0), (2048, 224)),
        ([(2048, 192), (2048, 256)], None, (2048, 224)),
        ([(120, 90), (50, 51)], None, (85, 70)),  # in any order, 70.5 -> 70
        # mmcv does not look at the ratios where there are two scales.
        ([(100, 100), (300, 200)], (0.5, 2.0), (200, 150)),
    ],
)
def test_scale_of_random_resize(scale, ratio_range, expected):
    assert frame_scale(RandomResize(scale, ratio_range)) == expected


CHOICE = {'type': 'RandomChoiceResize', 'scales': [192, 224, 256]}
PAIRS = {
    'type': 'RandomChoiceResize',
    'scales': [(50, 40), (90, 80), (70, 60)],
}
BETWEEN = {'type': 'RandomResize', 'scale': [(2048, 192), (2048, 256)]}


@pytest.mark.parametrize(
    ('step', 'expected'),
    [
        # A photograph of 3000 x 4000 pixels: 224 is its shorter side.
        ({**CHOICE, **SHORTEST}, (224, 299)),
        # The longer side ends at 250 before the shorter one is 224.
        ({**CHOICE, **SHORTEST, 'max_size': 250}, (188, 250)),  # 187.5
        (PAIRS, (60, 70)),  # scales are (width, height)
        ({**PAIRS, 'keep_ratio': True}, (53, 70)),  # 3000 * 70 / 4000 = 52.5
        ({**BETWEEN, 'keep_ratio': True}, (224, 299)),
        ({**BETWEEN, 'keep_ratio': False}, (224, 2048)),
        ({**BETWEEN, **SHORTEST}, (224, 299)),
    ],
)
def test_size_of_a_large_photograph(step, expected):
    transform = TRANSFORMS.build(copy.deepcopy(step))
    assert size_after(transform, (3000, 4000), drawn=False) == expected


@pytest.mark.parametrize(
    'step',
    [
        {**CHOICE, **SHORTEST, 'scales': [24, 32, 64]},
        {
            'type': 'RandomResize',
            'scale': [(500, 24), (500, 40)],
            'keep_ratio': True,
        },
    ],
    ids=lambda step: step['type'],
)
def test_crops_are_placed_in_the_frame(tmp_path, step):
    # The frame has 32 x 48 pixels of the file's 60 x 90. Each pixel is its
    # own row and column, so a crop of the image tells where it lies.
    y, x = np.mgrid[0:60, 0:90]
    image = np.stack([y * 4, x * 2, 0 * x], -1).astype(np.uint8)
    path = write_image(tmp_path, image)
    crop = {'type': 'RandomCrop', 'crop_size': (16, 20)}
    compose = RecordingCompose([LOAD, *copy.deepcopy([step, crop])])
    scales = set()
    for seed in range(12):
        np.random.seed(seed)
        results = compose({'img_path': path})
        placement = results['placement']
        assert placement.frame == (32, 48)
        top, left, bottom, right = np.divide(placement.seen, [32, 48] * 2)
        rows, columns = results['img'][..., :2].mean((0, 1)) / [4, 2]
        # The centre of the box, in pixels of the file.
        assert (top + bottom) / 2 * 60 - 0.5 == pytest.approx(rows, abs=0.5)
        assert (left + right) / 2 * 90 - 0.5 == pytest.approx(columns, abs=0.5)
        scales.add(round(16 / (bottom - top)))
    assert len(scales) > 2
    assert min(scales) < 32 < max(scales)
