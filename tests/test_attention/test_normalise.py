import numpy as np
import pytest
import torch

from oaa_mm.attention import (
    attention_to_image,
    mean_scores,
    normalise_attention,
    quantise_attention,
)


def test_max_norm_by_hand():
    scores = torch.tensor([[[-1.0, 2.0], [4.0, 1.0]]])
    expected = torch.tensor([[[0.0, 0.5], [1.0, 0.25]]])
    assert torch.equal(normalise_attention(scores), expected)


def test_minmax_norm_by_hand():
    scores = torch.tensor([[[1.0, 2.0], [5.0, 3.0]]])
    expected = torch.tensor([[[0.0, 0.25], [1.0, 0.5]]])
    assert torch.equal(normalise_attention(scores, norm='minmax'), expected)


@pytest.mark.parametrize('norm', ['max', 'minmax'])
def test_map_without_positive_score_stays_zero(norm):
    scores = torch.full((2, 3, 3), -0.5)
    assert normalise_attention(scores, norm=norm).abs().max() == 0


@pytest.mark.parametrize('norm', ['max', 'minmax'])
def test_padding_does_not_change_a_map(norm):
    torch.manual_seed(0)
    scores = torch.rand(1, 4, 5) + 0.5
    alone = normalise_attention(scores, norm=norm)
    padded = torch.full((1, 6, 9), 100.0)  # larger than any real score
    padded[:, :4, :5] = scores
    maps = normalise_attention(padded, valid=torch.tensor([[4, 5]]), norm=norm)
    assert torch.equal(maps[:, :4, :5], alone)
    assert maps.sum() == alone.sum()


def test_unknown_norm_is_named():
    with pytest.raises(ValueError, match="'max', 'minmax'.*'l2'"):
        normalise_attention(torch.zeros(1, 2, 2), norm='l2')


def test_half_precision_scores_give_float32_maps():
    scores = torch.tensor([[[3.0, 1.0]]], dtype=torch.bfloat16)
    maps = normalise_attention(scores)
    assert maps.dtype == torch.float32
    assert maps.flatten().tolist() == pytest.approx([1, 1 / 3], rel=1e-6)


def test_quantise_rounds():
    maps = torch.tensor([0, 0.49 / 255, 0.51 / 255, 254.6 / 255, 1])
    assert quantise_attention(maps).tolist() == [0, 0, 1, 255, 255]


def test_mean_scores_ignores_padding():
    scores = torch.tensor([[[[1.0, 3.0, torch.inf], [9.0, 9.0, 9.0]]]])
    logits = mean_scores(scores, valid=torch.tensor([[1, 2]]))
    assert logits.tolist() == [[2.0]]


def test_attention_to_image_spans_the_full_range():
    attention = np.array([[10, 20], [30, 50]], np.uint8)
    image = attention_to_image(attention, (8, 10))
    assert image.shape == (8, 10)
    assert (image.min(), image.max()) == (0, 255)
    assert image[0, 0] == 0
    assert image[-1, -1] == 255


def test_attention_to_image_of_own_size_is_minmax_by_hand():
    attention = np.array([[0.2, 0.4], [0.6, 1.0]])
    image = attention_to_image(attention, (2, 2))
    assert image.tolist() == [[0, 64], [128, 255]]


def test_attention_to_image_of_a_constant_map_is_zero():
    assert attention_to_image(np.full((2, 2), 9, np.uint8), (4, 4)).max() == 0
