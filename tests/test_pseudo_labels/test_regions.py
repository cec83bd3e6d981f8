"""Region votes: worked out by hand, upper bounds, files of any segmenter."""

import json
import sys

import numpy as np
import pytest

from oaa_mm.pseudo_labels import build_refine, compose_label
from oaa_mm.pseudo_labels.region_files import (
    find_regions,
    read_regions,
)
from oaa_mm.pseudo_labels.regions import vote

#: 4 x 4 scores, and a partition in quarters.
SCORES = np.arange(16, dtype=np.float32).reshape(1, 4, 4) / 16
QUARTERS = np.array([[5, 5, 2, 2]] * 2 + [[9, 9, -1, -1]] * 2)


def test_means_of_a_partition():
    # (0 + 1 + 4 + 5) / 4 = 2.5, and so on.
    expected = [[2.5, 2.5, 4.5, 4.5]] * 2 + [[10.5, 10.5, 12.5, 12.5]] * 2
    np.testing.assert_allclose(vote(SCORES, QUARTERS)[0] * 16, expected)


def test_channels_do_not_mix_and_constants_stay():
    scores = np.stack([SCORES[0], np.full((4, 4), 0.25, np.float32)])
    averaged = vote(scores, QUARTERS)
    np.testing.assert_array_equal(averaged[:1], vote(SCORES, QUARTERS))
    np.testing.assert_array_equal(averaged[1], scores[1])


@pytest.mark.parametrize('order', [(0, 1, 2), (2, 1, 0)])
def test_the_smallest_of_overlapping_masks_counts(order):
    masks = np.zeros((3, 4, 4), bool)
    masks[0, :2] = True  # 0..7: mean 3.5
    masks[1, 0, :2] = True  # 0 and 1: mean 0.5, inside the first
    # The third has no pixel; the lower half is in no mask.
    expected = [[0.5, 0.5, 3.5, 3.5], [3.5] * 4, [8, 9, 10, 11]]
    averaged = vote(SCORES, masks[list(order)])[0] * 16
    np.testing.assert_allclose(averaged[:3], expected)
    np.testing.assert_array_equal(averaged[3], [12, 13, 14, 15])


def scene(seed=0, size=48):
    """An image with two objects, their mask, and maps that miss its edges."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    mask = np.zeros((size, size), np.uint8)
    mask[8:26, 6:24] = 1
    mask[(y - 34) ** 2 + (x - 34) ** 2 < 110] = 2
    colours = np.array([[60, 90, 60], [200, 60, 50], [60, 60, 200]])
    image = colours[mask] + rng.integers(-12, 13, (size, size, 3))
    peaks = {0: (14, 14), 1: (30, 38)}
    maps = {
        c: np.exp(-((y - r) ** 2 + (x - q) ** 2) / 130).astype(np.float32)
        for c, (r, q) in peaks.items()
    }
    return image.astype(np.uint8), mask, maps


def right(label, mask):
    return (label == mask).mean()


def label_of(maps, image, refine):
    return compose_label(
        maps, image=image, refine=refine, background='power', fg_threshold=0.2
    )


def test_true_regions_are_an_upper_bound(tmp_path):
    image, mask, maps = scene()
    plain = right(label_of(maps, image, None), mask)
    path = tmp_path / 'true.npz'
    np.savez_compressed(path, masks=[mask == c for c in range(3)])
    refine = build_refine('regions', regions=path)
    assert plain < 0.9
    assert right(label_of(maps, image, refine), mask) == 1


def test_superpixels_gain():
    pytest.importorskip('skimage', reason='the extra `regions` is absent')
    image, mask, maps = scene()
    plain = right(label_of(maps, image, None), mask)
    refine = build_refine('regions', {'resize': 1.0})
    assert right(label_of(maps, image, refine), mask) > plain + 0.05


def test_scales_are_averaged():
    pytest.importorskip('skimage', reason='the extra `regions` is absent')
    image, _, maps = scene()
    scores = np.stack([maps[0], maps[1]])
    one, two, both = (
        build_refine('regions', {'scales': scales})(image, scores)
        for scales in ([50], [400], [50, 400])
    )
    assert (one != two).any()
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-6)


def test_steps_follow_each_other(tmp_path):
    image, mask, maps = scene()
    scores = np.stack([maps[0], maps[1]])
    path = tmp_path / 'a.npz'
    np.savez(path, masks=mask)
    regions = build_refine('regions', regions=path)
    par = build_refine('par', {'iterations': 2})
    for name, first, second in (
        ('regions,par', regions, par),
        ('par,regions', par, regions),
    ):
        chain = build_refine(name, {'par.iterations': 2}, regions=path)
        expected = second(image, first(image, scores))
        np.testing.assert_array_equal(chain(image, scores), expected)


@pytest.mark.parametrize(
    ('name', 'options', 'regions', 'message'),
    [
        ('regions,none', {}, 'a', "should be one of .* but got 'none'"),
        ('par,', {}, None, "should be one of .* but got ''"),
        ('par', {}, 'a', "refine 'par' has no step 'regions'"),
        ('regions', {'sigma': 1}, 'a', r"one of \(\), but got 'sigma'"),
        ('par,regions', {'crf.a': 1}, 'a', "par.iterations.*got 'crf.a'"),
    ],
)
def test_chains_are_checked(name, options, regions, message):
    with pytest.raises(ValueError, match=message):
        build_refine(name, options, regions=regions)


def test_an_option_of_several_steps_needs_its_step(monkeypatch):
    monkeypatch.setattr(
        'oaa_mm.pseudo_labels.refine.import_densecrf', lambda: None
    )
    assert build_refine('par,crf', {'floor': 0.1, 'crf.iterations': 3})
    with pytest.raises(ValueError, match=r"crf\.iterations.* 'iterations'"):
        build_refine('par,crf', {'iterations': 3})


def test_superpixels_say_how_to_install_them(monkeypatch):
    monkeypatch.setitem(sys.modules, 'skimage.segmentation', None)
    with pytest.raises(ValueError, match='pip install scikit-image'):
        build_refine('regions,par')
    assert build_refine('regions,par', regions='unused.npz')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'scales': []}, r'len\(scales\) should be .*in \[1'),
        ({'scales': [0]}, r'scales should be in \(0'),
        ({'sigma': -1}, r'sigma should be in \[0'),
        ({'resize': 0}, r'resize should be in \(0, 1\]'),
        ({'min_size': 1.5}, 'min_size should be an integer'),
    ],
)
def test_superpixels_refuse(options, message, monkeypatch):
    monkeypatch.setattr(
        'oaa_mm.pseudo_labels.refine.import_segmentation', lambda: None
    )
    image, scores = np.zeros((4, 4, 3), np.uint8), SCORES
    with pytest.raises(ValueError, match=message):
        build_refine('regions', options)(image, scores)


def write_json(path, masks):
    """As Segment Anything gives them with output_mode='coco_rle'."""
    runs = []
    for mask in masks:
        flat = mask.T.ravel().astype(int)
        edges = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
        ends = [0, *edges, flat.size]
        runs.append(
            {
                'segmentation': {
                    'size': list(mask.shape),
                    'counts': np.diff(ends).tolist(),
                },
                'area': int(mask.sum()),
                'bbox': [0, 0, 1, 1],
            }
        )
    path.write_text(json.dumps(runs))


def test_both_formats_hold_the_same(tmp_path):
    rng = np.random.default_rng(0)
    masks = rng.random((5, 7, 9)) < 0.5
    np.savez_compressed(tmp_path / 'a.npz', masks=list(masks))
    write_json(tmp_path / 'b.json', masks)
    runs = json.loads((tmp_path / 'b.json').read_text())
    (tmp_path / 'c.json').write_text(json.dumps({'annotations': runs}))
    for name in ('a.npz', 'b.json', 'c.json'):
        found = read_regions(tmp_path / name, (7, 9))
        np.testing.assert_array_equal(found, masks)
        assert found.dtype == bool


def test_no_masks_keep_the_scores(tmp_path):
    np.savez(tmp_path / 'a.npz', masks=[])
    (tmp_path / 'b.json').write_text('[]')
    for name in ('a.npz', 'b.json'):
        refine = build_refine('regions', regions=tmp_path / name)
        np.testing.assert_array_equal(refine(None, SCORES), SCORES)


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('a.npz', {'masks': np.ones((2, 4, 5))}, r'\(2, 4, 5\) float64'),
        ('a.npz', {'masks': np.ones(4, bool)}, r'\(4,\) bool'),
        ('a.npz', {'mask': np.ones((1, 4, 5), bool)}, 'KeyError.*masks'),
        ('a.npz', {'masks': np.ones((1, 5, 4), bool)}, '4x5 .* has 5x4'),
        ('a.npz', b'nothing', 'a.npz holds no regions'),
        ('a.json', b'[{}]', "KeyError: 'segmentation'"),
        ('a.json', b'{"images": []}', "KeyError: 'annotations'"),
        ('a.json', b'[', 'a.json holds no regions'),
        (
            'a.json',
            b'[{"segmentation": {"size": [4, 5], "counts": [3, 4]}}]',
            'a.json holds no regions .*run lengths.* 4 x 5 pixels',
        ),
        (  # a petabyte, if anyone made a mask of it
            'a.json',
            b'[{"segmentation": {"size": [4, 5], "counts": [%d]}}]' % 2**50,
            'a.json holds no regions .*run lengths',
        ),
    ],
)
def test_files_that_do_not_fit(tmp_path, name, content, message):
    path = tmp_path / name
    if isinstance(content, dict):
        np.savez(path, **content)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_regions(path, (4, 5))


def test_files_are_found_by_id(tmp_path):
    for name in ('a/0.json', 'b/0.json'):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text('[]')
    found = find_regions(tmp_path, ['a/0', 'b/0'])
    assert found['b/0'].endswith('b/0.json')
    with pytest.raises(FileNotFoundError, match=r'1 of 2 .*c\.json.*an empty'):
        find_regions(tmp_path, ['a/0', 'c'])
    with pytest.raises(FileNotFoundError, match='no such folder of files of'):
        find_regions(tmp_path / 'none', ['a'])
