"""Refinements: PAR against a loop, the CRF behind a stand-in package."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from oaa_mm.pseudo_labels import build_refine, compose_label
from oaa_mm.pseudo_labels.par import affinity, pixel_adaptive_refine
from oaa_mm.pseudo_labels.refine import crf_probabilities

STEPS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]


def slow_par(image, scores, dilations, iterations, color_width, position):
    """One image, pixel by pixel, in float64."""
    height, width, _ = image.shape
    for _ in range(iterations):
        refined = np.zeros_like(scores)
        for y in range(height):
            for x in range(width):
                where = [
                    (
                        min(max(y + d * dy, 0), height - 1),
                        min(max(x + d * dx, 0), width - 1),
                    )
                    for d in dilations
                    for dy, dx in STEPS
                ]
                near = np.array([
                    d * np.hypot(dy, dx) for d in dilations for dy, dx in STEPS
                ])  # fmt: skip
                near = np.exp(-((near / max(near.std(), 1)) ** 2))
                colors = np.array([image[p] for p in where])
                spread = np.maximum(colors.std(0), 1) * color_width
                gap = ((colors - image[y, x]) / spread) ** 2
                like = -gap.mean(1)
                like = np.exp(like - like.max())
                weight = (1 - position) * like / like.sum()
                weight += position * near / near.sum()
                for w, p in zip(weight, where, strict=True):
                    refined[:, y, x] += w * scores[(slice(None), *p)]
        scores = refined
    return scores


def test_par_equals_the_loop():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (6, 7, 3)).astype(np.float64)
    scores = rng.random((3, 6, 7))
    refined = pixel_adaptive_refine(
        image,
        scores,
        dilations=(1, 3),
        iterations=2,
        color_width=0.5,
        position_weight=0.1,
        scale=1,
    )
    expected = slow_par(image, scores, (1, 3), 2, 0.5, 0.1)
    np.testing.assert_allclose(refined, expected, rtol=1e-4, atol=1e-5)


def test_par_is_the_same_on_every_device(device):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 53, 3), dtype=np.uint8)
    scores = rng.random((3, 40, 53))
    refined = build_refine('par', {'device': device})(image, scores)
    assert isinstance(refined, np.ndarray)
    np.testing.assert_allclose(
        refined, pixel_adaptive_refine(image, scores), atol=1e-4
    )


def test_par_tells_that_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    image, scores = np.zeros((4, 4, 3), np.uint8), np.zeros((1, 4, 4))
    match = r"device should be one of \('cpu',\), but got 'cuda'"
    with pytest.raises(ValueError, match=match):
        pixel_adaptive_refine(image, scores, device='cuda')


def test_weights_sum_to_one_and_keep_constants():
    torch.manual_seed(0)
    image = torch.randint(0, 256, (3, 5, 6)).float()
    weights = affinity(image, (1, 2), color_width=0.3, position_weight=0.01)
    assert weights.shape == (16, 5, 6)
    torch.testing.assert_close(weights.sum(0), torch.ones(5, 6))
    flat = np.full((2, 5, 6), 0.25, np.float32)
    refined = pixel_adaptive_refine(image.permute(1, 2, 0).numpy(), flat)
    np.testing.assert_allclose(refined, flat, rtol=1e-5)


def two_tone(size=24):
    """Left half dark, right half bright, and the mask of the right half."""
    image = np.full((size, size, 3), 40, np.uint8)
    image[:, size // 2 :] = 200
    return image, np.arange(size)[None].repeat(size, 0) >= size // 2


def test_par_moves_scores_to_the_edge_of_the_image():
    image, inside = two_tone()
    score = np.zeros(inside.shape, np.float32)
    score[:, 9:] = 1  # three columns too far to the left
    scores = np.stack([1 - score, score])
    refine = build_refine('par', {'scale': 1.0, 'iterations': 20})
    refined = refine(image, scores)
    before = ((scores[1] > 0.5) != inside).mean()
    after = ((refined[1] > refined[0]) != inside).mean()
    assert before > 0.1
    assert after < before / 2
    assert refined.shape == scores.shape
    assert refined.min() >= 0
    assert refined.max() <= 1


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'scale': 0}, r'scale should be in \(0, 1\]'),
        ({'iterations': -1}, r'iterations should be an integer in \[0'),
        ({'dilations': ()}, r'dilations\) should be .*in \[1'),
        ({'color_width': 0}, r'color_width should be in \(0'),
    ],
)
def test_par_refuses(options, message):
    image, scores = np.zeros((4, 4, 3)), np.zeros((2, 4, 4))
    with pytest.raises(ValueError, match=message):
        pixel_adaptive_refine(image, scores, **options)


def test_names_and_options_are_checked():
    assert build_refine('none') is None
    with pytest.raises(ValueError, match="refine should be one of .*'cfr'"):
        build_refine('cfr')
    with pytest.raises(
        ValueError, match="refine 'par' should be .*iterations.* 'iters'"
    ):
        build_refine('par', {'iters': 3})
    with pytest.raises(ValueError, match=r"'none' should be one of \(\)"):
        build_refine('none', {'a': 3})


def test_crf_tells_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf', None)
    with pytest.raises(ValueError, match='pip install pydensecrf2'):
        build_refine('crf')


class FakeCRF:
    """Answers with the softmax of the negative energy: no pairwise terms."""

    def __init__(self, width, height, labels):
        self.shape = labels, height * width
        self.calls = []

    def setUnaryEnergy(self, energy):  # noqa: N802
        assert energy.shape == self.shape
        assert energy.dtype == np.float32
        assert energy.flags.c_contiguous
        self.energy = energy

    def addPairwiseGaussian(self, sxy, compat):  # noqa: N802
        self.calls.append((sxy, compat))

    def addPairwiseBilateral(self, sxy, srgb, rgbim, compat):  # noqa: N802
        assert rgbim.flags.c_contiguous
        assert rgbim.dtype == np.uint8
        self.calls.append((sxy, srgb, compat))

    def inference(self, iterations):
        assert iterations == 3
        assert self.calls == [(1.0, 3.0), (67.0, 5, 4.0)]
        like = np.exp(-self.energy)
        return like / like.sum(0)


def test_crf_hands_over_energies(monkeypatch):
    package, module = ModuleType('pydensecrf'), ModuleType('densecrf')
    module.DenseCRF2D = FakeCRF
    package.densecrf = module
    monkeypatch.setitem(sys.modules, 'pydensecrf', package)
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', module)
    refine = build_refine('crf', {'iterations': 3, 'color_sigma': 5})
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (4, 5, 3)).astype(np.uint8)[:, ::-1]
    scores = np.array([0.75, 0.25], np.float32)[:, None, None]
    scores = np.broadcast_to(scores, (2, 4, 5))
    np.testing.assert_allclose(refine(image, scores), scores, atol=1e-6)
    # A floor of 0.05: sure scores are not beyond the CRF's reach.
    sure = np.zeros((2, 4, 5), np.float32)
    sure[0] = 1
    np.testing.assert_allclose(refine(image, sure)[1], 0.05 / 1.05, atol=1e-6)


def test_crf_probabilities():
    scores = np.array([[1, 0.2, 0, 0.9], [0, 0.2, 0, 0.9]], np.float32)
    expected = [[1, 0.5, 0.5, 0.5], [0, 0.5, 0.5, 0.5]]
    found = crf_probabilities(scores[:, None])[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    weak = crf_probabilities(np.array([0.0, 0.2], np.float32)[:, None, None])
    np.testing.assert_allclose(weak.ravel(), [0.4, 0.6], atol=1e-6)


def test_real_crf_follows_the_edge():
    pytest.importorskip('pydensecrf', reason='the extra `crf` is absent')
    image, inside = two_tone()
    score = np.full(inside.shape, 0.1, np.float32)
    score[:, 9:] = 0.8
    refined = build_refine('crf')(image, np.stack([1 - score, score]))
    np.testing.assert_allclose(refined.sum(0), 1, atol=1e-4)
    before = ((score > 0.5) != inside).mean()
    assert ((refined[1] > 0.5) != inside).mean() < before / 2


def test_refined_label_of_an_image():
    image, inside = two_tone()
    attention = np.zeros(inside.shape, np.uint8)
    attention[:, 9:] = 220
    saliency = np.where(inside, 255, 0).astype(np.uint8)
    label = compose_label(
        {2: attention},
        saliency=saliency,
        image=image,
        refine=build_refine('par', {'scale': 1.0}),
    )
    assert (label[:, 14:] == 3).all()
    assert (label[:, :6] == 0).all()
