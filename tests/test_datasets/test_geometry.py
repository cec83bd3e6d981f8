"""What the pipelines did is undone, against images that hold coordinates."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ramp_images import LOAD, RISE, ramps, run, write_image

from oaa_mm.attention import Placement, to_frame
from oaa_mm.datasets.transforms import RecordingCompose

STEPS = {
    'shortest': {
        'type': 'ResizeShortestEdge',
        'scale': 48,
        'max_size': 200,
    },
    'squash': {'type': 'Resize', 'scale': (70, 90)},
    'factor': {'type': 'Resize', 'scale_factor': 1.5, 'keep_ratio': True},
    'multiple': {'type': 'ResizeToMultiple', 'size_divisor': 16},
    'random': {
        'type': 'RandomResize',
        'scale': (90, 60),
        'ratio_range': (0.6, 1.7),
        'keep_ratio': True,
    },
    'random_between': {
        'type': 'RandomResize',
        'scale': [(50, 50), (120, 90)],
        'keep_ratio': False,
    },
    'random_shortest': {
        'type': 'RandomResize',
        'scale': (70, 50),
        'ratio_range': (0.7, 1.5),
        'resize_type': 'ResizeShortestEdge',
        'max_size': 200,
    },
    'choice': {
        'type': 'RandomChoiceResize',
        'scales': [(64, 64), (100, 100), (80, 40)],
        'keep_ratio': True,
    },
    'horizontal': {'type': 'RandomFlip', 'prob': 0.6},
    'vertical': {
        'type': 'RandomFlip',
        'prob': 0.6,
        'direction': 'vertical',
    },
    'any': {
        'type': 'RandomFlip',
        'prob': [0.3, 0.3, 0.3],
        'direction': ['horizontal', 'vertical', 'diagonal'],
    },
    'crop': {'type': 'RandomCrop', 'crop_size': (40, 36)},
    'wide_crop': {'type': 'RandomCrop', 'crop_size': (24, 500)},
    'cut_out': {
        'type': 'RandomCutOut',
        'prob': 1.0,
        'n_holes': 1,
        'cutout_shape': (0, 0),
    },
    'maybe': {
        'type': 'RandomApply',
        'transforms': [{'type': 'Resize', 'scale': (66, 66)}],
        'prob': 0.5,
    },
}


def truth(y, x):
    """Grey levels (3, ...) of the ramps at fractions of the image."""
    return np.stack([y, x, 1 - (x + y) / 2]) * RISE + 20


def shares(pixels, cells):
    """(cells, pixels): which share of each even cell a pixel covers."""
    edges = np.arange(cells + 1)[:, None] * (pixels / cells)
    covered = (edges - np.arange(pixels)).clip(0, 1)
    return (covered[1:] - covered[:-1]) * (cells / pixels)


def cells_of(image, cell):
    """(3, h, w) uint8 means of `image` over ceil(size / cell) even cells."""
    height, width = image.shape[:2]
    down = shares(height, -(-height // cell))
    across = shares(width, -(-width // cell))
    means = down @ image.transpose(2, 0, 1) @ across.T
    # Means of flipped images may differ by noise where they end in one half.
    return np.rint(means.round(6)).astype(np.uint8)


def box_fractions(placement):
    """Low and high (y, x) of the part seen, as fractions of the image."""
    top, left, bottom, right = placement.seen
    height, width = placement.frame
    return (top / height, left / width), (bottom / height, right / width)


def expect(placement, size, grid, cells):
    """What a ramp's map of `size` cells must be in the grid's `cells`.

    Interpolation is exact on a ramp, except beyond the centre of the
    outermost map cell, where it stays at that cell's value.
    """
    low, high = box_fractions(placement)
    axes = []
    for axis in (0, 1):
        centres = (np.arange(grid[axis]) + 0.5) / grid[axis]
        half = (high[axis] - low[axis]) / size[axis] / 2
        # The lower limit wins where a single cell makes them equal.
        axes.append(
            centres[cells[axis]].clip(low[axis] + half, high[axis] - half)
        )
    return truth(*np.meshgrid(*axes, indexing='ij'))


def inside(placement, size, grid, cells):
    """Cells whose bilinear neighbours do not touch the edge of the box."""
    low, high = box_fractions(placement)
    axes = []
    for axis in (0, 1):
        centres = (np.arange(grid[axis]) + 0.5)[cells[axis]] / grid[axis]
        margin = 2 * (high[axis] - low[axis]) / size[axis]
        axes.append(
            (centres > low[axis] + margin) & (centres < high[axis] - margin)
        )
    return axes[0][:, None] & axes[1]


def check_maps(results, cell, resizes):
    placement = results['placement']
    seen = cells_of(results['img'], cell)
    grid = [max(1, -(-side // cell)) for side in placement.frame]
    placed, cells = to_frame(seen, replace(placement, grid=grid))
    placed = placed[:, cells[0], cells[1]].astype(float)
    expected = expect(placement, seen.shape[1:], grid, cells)
    assert placed.shape == expected.shape
    if not placed.size:
        return
    error = np.abs(placed - expected).max(0)
    # Half a level of rounding each for the file, every resize, the cells and
    # the result: no cell may lie elsewhere by a tenth of a cell.
    rounding = 0.5 * (3 + resizes)
    middle = inside(placement, seen.shape[1:], grid, cells)
    assert (error[middle] <= rounding).all()
    # Resizing repeats the outermost pixel by up to half of it.
    pixel = RISE / min(results['img'].shape[:2]) if resizes else 0
    assert error.max() <= rounding + pixel


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4),
    cell=st.sampled_from([4, 8]),
    seed=st.integers(0, 2**20),
)
def test_any_order_of_transforms_is_undone(ramp_file, names, cell, seed):
    results = run([STEPS[name] for name in names], ramp_file, seed)
    check_maps(results, cell, len(names))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4),
    seed=st.integers(0, 2**20),
)
def test_frame_of_an_image_is_the_same_in_all_epochs(ramp_file, names, seed):
    np.random.seed(seed)
    steps = copy.deepcopy([STEPS[name] for name in names])
    compose = RecordingCompose([LOAD, *steps])
    frames = {
        compose({'img_path': ramp_file})['placement'].frame for _ in range(6)
    }
    assert len(frames) == 1


@pytest.mark.parametrize(
    ('steps', 'frame'),
    [
        ([], (60, 84)),
        (['shortest'], (48, 67)),  # 84 * 48 / 60 = 67.2
        (['squash'], (90, 70)),
        (['factor'], (90, 126)),
        (['multiple'], (64, 96)),
        # mmcv.rescale_size: min(60 / 60, 90 / 84) = 1
        (['random'], (60, 84)),
        (['random', 'shortest'], (48, 67)),
        (['random', 'crop', 'squash'], (90, 70)),
        (['random_shortest'], (50, 70)),
        # (50 + 120) / 2 wide, (50 + 90) / 2 high.
        (['random_between'], (70, 85)),
        # The middle one by area is (64, 64): 60 * 64 / 84 = 45.7.
        (['choice'], (46, 64)),
        (['choice', 'crop', 'horizontal'], (46, 64)),
        (['choice', 'shortest'], (48, 67)),  # 64 * 48 / 46 = 66.8
        (['maybe', 'shortest'], (48, 67)),
        (['crop'], (60, 84)),
        # 40x36 pixels become 90x70: the whole image by 2.25 and 1.944.
        (['crop', 'squash'], (135, 163)),
        (['horizontal', 'shortest'], (48, 67)),
    ],
)
def test_frame_is_the_image_at_its_frame_scale(ramp_file, steps, frame):
    for seed in range(3):
        results = run([STEPS[step] for step in steps], ramp_file, seed)
        assert results['placement'].frame == frame


def test_frame_is_fixed_when_the_drawn_scale_is_that_of_the_file(ramp_file):
    # The frame has 30x42 pixels, drawn twice that: the size that the file has.
    step = {
        'type': 'RandomResize',
        'scale': (42, 30),
        'ratio_range': (2.0, 2.0),
        'keep_ratio': True,
    }
    results = run([step], ramp_file)
    assert results['img'].shape[:2] == (60, 84)
    assert results['placement'].frame == (30, 42)
    assert results['placement'].whole


@settings(max_examples=40, deadline=None)
@given(
    directions=st.lists(
        st.sampled_from(['horizontal', 'vertical', 'diagonal']), max_size=4
    ),
    height=st.integers(2, 21),
    width=st.integers(2, 21),
    seed=st.integers(0, 99),
)
def test_flips_are_undone_exactly(
    tmp_path_factory, directions, height, width, seed
):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    path = write_image(tmp_path_factory.getbasetemp(), image)
    steps = [
        {'type': 'RandomFlip', 'prob': 1.0, 'direction': direction}
        for direction in directions
    ]
    results = run(steps, path)
    placed, cells = to_frame(cells_of(results['img'], 4), results['placement'])
    assert np.array_equal(placed, cells_of(image, 4))
    assert cells == (
        slice(0, -(-height // 4)),
        slice(0, -(-width // 4)),
    )


def test_crop_tells_its_box_in_pixels_of_the_frame(tmp_path):
    # Every pixel is its own number, so the image tells which were kept.
    number = np.arange(30 * 50).reshape(30, 50)
    image = np.stack([number % 256, number // 256, 0 * number], -1)
    path = write_image(tmp_path, image.astype(np.uint8))
    for seed in range(20):
        results = run([STEPS['crop'] | {'crop_size': (7, 9)}], path, seed)
        blue, green = results['img'].astype(int).transpose(2, 0, 1)[:2]
        top, left = divmod(int(blue[0, 0] + 256 * green[0, 0]), 50)
        box = results['placement'].box
        assert box == pytest.approx((top, left, top + 7, left + 9))


def test_crop_then_flip_and_flip_then_crop_show_the_right_box(tmp_path):
    number = np.arange(30 * 50).reshape(30, 50)
    image = np.stack([number % 256, number // 256, 0 * number], -1)
    path = write_image(tmp_path, image.astype(np.uint8))
    crop = {'type': 'RandomCrop', 'crop_size': (7, 9)}
    flip = {'type': 'RandomFlip', 'prob': 1.0, 'direction': 'diagonal'}
    for seed in range(10):
        for steps in ([crop, flip], [flip, crop]):
            results = run(steps, path, seed)
            kept = results['img'].astype(int)
            kept = kept[..., 0] + 256 * kept[..., 1]
            # Upside down and mirrored: the last pixel is the top left one.
            top, left = divmod(int(kept[-1, -1]), 50)
            placement = results['placement']
            assert placement.seen == pytest.approx(
                (top, left, top + 7, left + 9)
            )
            assert placement.flip_horizontal
            assert placement.flip_vertical


def test_one_pixel_crop_is_no_resize_and_resize_by_one_is_no_crop(tmp_path):
    path = write_image(tmp_path, ramps(33, 40))
    crop = run([{'type': 'RandomCrop', 'crop_size': (32, 40)}], path)
    assert crop['placement'].frame == (33, 40)
    assert not crop['placement'].whole
    resize = run([{'type': 'Resize', 'scale': (40, 32)}], path)
    assert resize['placement'] == Placement(frame=(32, 40))
    both = run(
        [
            {'type': 'Resize', 'scale': (40, 32)},
            {'type': 'RandomCrop', 'crop_size': (31, 40)},
        ],
        path,
    )
    assert both['placement'].frame == (32, 40)
    assert not both['placement'].whole
