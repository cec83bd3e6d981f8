"""Which transforms pass, which are refused, and what is said."""

import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from ramp_images import HEIGHT, LOAD, WIDTH, ramps, run, write_image

from oaa_mm.attention import Placement
from oaa_mm.datasets import PackImageLevelInputs
from oaa_mm.datasets.transforms import RecordingCompose

COLOURS = [
    {'type': 'PhotoMetricDistortion'},
    {'type': 'oaa_mm.ColorJitter'},
    {'type': 'CLAHE'},
    {
        'type': 'RandomCutOut',
        'prob': 1.0,
        'n_holes': 3,
        'cutout_shape': (9, 9),
    },
    {'type': 'AdjustGamma', 'gamma': 2.0},
    {'type': 'RandomGrayscale', 'prob': 1.0},
]


@pytest.mark.parametrize('step', COLOURS, ids=lambda step: step['type'])
def test_changes_of_colour_pass(ramp_file, step):
    results = run([step], ramp_file)
    assert results['placement'] == Placement(frame=(HEIGHT, WIDTH))
    assert not np.array_equal(results['img'], ramps(HEIGHT, WIDTH))


class RollEverything(BaseTransform):
    """Moves image and segmentation maps alike: consistent, not undoable."""

    def __init__(self, shift, axis):
        self.shift, self.axis = shift, axis

    def transform(self, results):
        for key in ('img', *results['seg_fields']):
            results[key] = np.roll(results[key], self.shift, self.axis)
        return results


class TransposeEverything(BaseTransform):
    def transform(self, results):
        for key in ('img', *results['seg_fields']):
            results[key] = np.swapaxes(results[key], 0, 1).copy()
        return results


class HalveImageOnly(BaseTransform):
    def transform(self, results):
        results['img'] = results['img'][::2, ::2]
        return results


class ForgetMaps(BaseTransform):
    def transform(self, results):
        return {'img': results['img'][::-1]}


class Shear(BaseTransform):
    """Each row is rolled by its number."""

    def transform(self, results):
        for key in ('img', *results['seg_fields']):
            rows = [np.roll(row, n, 0) for n, row in enumerate(results[key])]
            results[key] = np.stack(rows)
        return results


class Albu(BaseTransform):
    def transform(self, results):
        return results


REFUSED = [
    {'type': 'RandomRotate', 'prob': 1.0, 'degree': 10},
    {'type': 'RandomRotFlip'},
    {'type': 'RandomMosaic', 'prob': 1.0},
    {'type': 'Pad', 'size': (100, 100)},
    {'type': 'CenterCrop', 'crop_size': 20},
    {'type': 'mmcv.RandomFlip', 'prob': 1.0},
    {'type': 'mmcv.Resize', 'scale': (40, 40)},
    {'type': 'Resize', 'scale': (40, 40), 'backend': 'pillow'},
    {'type': 'SegRescale', 'scale_factor': 0.5},
    {
        'type': 'RandomCutOut',
        'prob': 1.0,
        'n_holes': 5,
        'cutout_shape': (9, 9),
        'seg_fill_in': 3,
    },
    Albu(),
    RollEverything(1, 0),
    RollEverything(7, 1),
    RollEverything((2, 3), (0, 1)),
    TransposeEverything(),
    HalveImageOnly(),
    ForgetMaps(),
    Shear(),
]


def name_of(step):
    if isinstance(step, dict):
        return step['type'].rsplit('.', 1)[-1]
    return type(step).__name__


@pytest.mark.parametrize('step', REFUSED, ids=name_of)
def test_transforms_that_cannot_be_undone_are_named(ramp_file, step):
    with pytest.raises(ValueError, match=f'transform {name_of(step)} '):
        run([step], ramp_file)


@pytest.mark.parametrize('wrapper', ['RandomApply', 'RandomChoice', 'Compose'])
def test_refused_transforms_are_found_inside_of_others(wrapper):
    from mmcv.transforms import Compose, RandomApply, RandomChoice

    inner = [{'type': 'RandomRotate', 'prob': 0.5, 'degree': 10}]
    step = {
        'RandomApply': lambda: RandomApply(inner),
        'RandomChoice': lambda: RandomChoice([inner, inner]),
        'Compose': lambda: Compose(inner),
    }[wrapper]()
    with pytest.raises(ValueError, match='transform RandomRotate is known'):
        RecordingCompose([LOAD, step])


def test_transform_that_returns_nothing_is_named(ramp_file):
    with pytest.raises(ValueError, match=f'returned nothing for {ramp_file}'):
        run([lambda results: None], ramp_file)


@pytest.mark.parametrize(
    'step',
    [
        {'type': 'RandomCrop', 'crop_size': (20, 20), 'cat_max_ratio': 0.75},
        {'type': 'LoadAnnotations', 'reduce_zero_label': None},
        {'type': 'GenerateEdge'},
    ],
    ids=name_of,
)
def test_transforms_that_need_a_mask_say_what_mends_it(ramp_file, step):
    match = (
        rf'transform {name_of(step)} needs a segmentation map, but '
        rf'{ramp_file} has none.*Take it out.*cat_max_ratio=1\.0'
    )
    with pytest.raises(ValueError, match=match) as caught:
        run([step], ramp_file)
    assert isinstance(caught.value.__cause__, KeyError)


def test_crop_without_category_limit_needs_no_mask(ramp_file):
    step = {'type': 'RandomCrop', 'crop_size': (9, 8), 'cat_max_ratio': 1.0}
    assert run([step], ramp_file)['img'].shape == (9, 8, 3)


def test_other_missing_keys_stay_what_they_are(ramp_file):
    with pytest.raises(KeyError, match='gt_bboxes'):
        run([lambda results: results['gt_bboxes']], ramp_file)


def test_unreadable_image_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'gone\.png.*check_dataset'):
        run([], str(tmp_path / 'gone.png'))


@pytest.mark.parametrize('shape', [(1, 9, 3), (9, 1, 3)])
def test_image_of_one_pixel_height_or_width_is_refused(tmp_path, shape):
    path = write_image(tmp_path, np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match=rf'image\.png: {shape[1]}x'):
        run([], path)


def test_image_that_is_there_at_the_start_is_watched_at_once():
    compose = RecordingCompose([{'type': 'RandomFlip', 'prob': 1.0}])
    placement = compose({'img': ramps(8, 8)})['placement']
    assert placement.flip_horizontal


def test_segmentation_maps_go_through_untouched(tmp_path):
    image = write_image(tmp_path, ramps(20, 30))
    mask = np.arange(600, dtype=np.int64).reshape(20, 30) % 5
    mask_path = write_image(tmp_path, mask.astype(np.uint8), 'mask.png')
    compose = RecordingCompose(
        [
            LOAD,
            {'type': 'LoadAnnotations'},
            {'type': 'RandomFlip', 'prob': 1.0},
        ]
    )
    results = compose(
        {
            'img_path': image,
            'seg_map_path': mask_path,
            'seg_fields': [],
            'reduce_zero_label': False,
            'label_map': None,
        }
    )
    assert np.array_equal(results['gt_seg_map'], mask[:, ::-1])
    assert results['placement'].flip_horizontal


def test_placement_that_is_no_longer_true_is_not_packed(ramp_file):
    # As in wrappers that run transforms after those of the data set.
    results = run([], ramp_file)
    pack = PackImageLevelInputs()
    kept = pack(dict(results))['data_samples']
    assert kept.placement == Placement(frame=(HEIGHT, WIDTH))
    from mmseg.datasets.transforms import RandomFlip

    flipped = RandomFlip(prob=1.0)(dict(results))
    assert 'placement' not in pack(flipped)['data_samples'].metainfo


def test_test_time_augmentation_runs(ramp_file):
    step = {
        'type': 'TestTimeAug',
        'transforms': [
            [
                {'type': 'RandomFlip', 'prob': 0.0},
                {'type': 'RandomFlip', 'prob': 1.0},
            ],
            [{'type': 'oaa_mm.PackImageLevelInputs'}],
        ],
    }
    plain, flipped = run([step], ramp_file)['data_samples']
    assert plain.placement == Placement(frame=(HEIGHT, WIDTH))
    assert 'placement' not in flipped.metainfo
