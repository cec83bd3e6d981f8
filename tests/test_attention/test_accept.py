import pytest
import torch

from oaa_mm.attention import accept_pairs

# Image with labels {0, 2}; class 3 outscores class 2.
LOGITS = torch.tensor([[2.0, -1.0, 0.5, 1.0]])
LABELS = torch.tensor([[1, 0, 1, 0]])


@pytest.mark.parametrize(
    ('rule', 'expected'),
    [
        ('topk', [True, False, False, False]),
        ('all_targets', [False, False, False, False]),
        ('none', [True, False, True, False]),
        ('threshold', [True, False, True, False]),
    ],
)
def test_rules_by_hand(rule, expected):
    accepted = accept_pairs(LOGITS, LABELS, acceptance=rule)
    assert accepted.tolist() == [expected]


def test_threshold_is_a_probability():
    logits = torch.tensor([[0.0, 1.0]])  # probabilities 0.5 and 0.731
    labels = torch.ones(1, 2)
    for threshold, expected in ((0.5, [True, True]), (0.6, [False, True])):
        accepted = accept_pairs(
            logits, labels, acceptance='threshold', threshold=threshold
        )
        assert accepted.tolist() == [expected]


def test_all_targets_accepts_when_every_target_wins():
    logits = torch.tensor([[2.0, -1.0, 1.5, 1.0]])
    accepted = accept_pairs(logits, LABELS, acceptance='all_targets')
    assert accepted.tolist() == [[True, False, True, False]]


def test_topk_accepts_ties():
    logits = torch.tensor([[1.0, 1.0, 0.0]])
    labels = torch.tensor([[0, 1, 0]])
    assert accept_pairs(logits, labels).tolist() == [[False, True, False]]


@pytest.mark.parametrize('rule', ['topk', 'all_targets', 'none', 'threshold'])
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_scores_that_are_not_finite_are_never_accepted(rule, value):
    logits = torch.tensor([[value, 0.0], [1.0, 0.0]])
    labels = torch.tensor([[1, 0], [1, 0]])
    accepted = accept_pairs(logits, labels, acceptance=rule)
    assert accepted.tolist() == [[False, False], [True, False]]


def test_unknown_rule_is_named():
    with pytest.raises(ValueError, match=r"topk.*got 'best'"):
        accept_pairs(LOGITS, LABELS, acceptance='best')


@pytest.mark.parametrize(
    ('rule', 'accepted'),
    [
        ('topk', [False, True, True]),
        ('all_targets', [False, True, True]),
        ('none', [False, True, True]),
        ('threshold', [False, False, True]),
    ],
)
def test_a_single_class(rule, accepted):
    """K is 0 or 1: a negative has no pair, and nothing outscores the class."""
    logits, labels = torch.tensor([[[9.0], [-9.0], [9.0]], [[0], [1], [1]]])
    found = accept_pairs(logits, labels, acceptance=rule)
    assert found[:, 0].tolist() == accepted


@pytest.mark.parametrize('rule', ['topk', 'all_targets', 'none', 'threshold'])
def test_an_image_without_a_class_has_no_pair(rule):
    logits = torch.tensor([[9.0, 9.0, -9.0]])
    found = accept_pairs(logits, torch.zeros(1, 3), acceptance=rule)
    assert not found.any()
