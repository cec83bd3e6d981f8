"""Which pixels OAA-drop hides, worked out by hand."""

import numpy as np
import pytest
import torch

from oaa_mm.attention import AttentionAccumulator, Placement
from oaa_mm.attention.drop import attended_pixels, is_dropped

#: Attention to the right half of a frame of 4x8 pixels. Between the two cells
#: the eight columns are 0, 0, 1/8, 3/8, 5/8, 7/8, 1 and 1.
RIGHT = np.array([[[0, 255]]], np.uint8)


@pytest.mark.parametrize(
    ('placement', 'size', 'threshold', 'columns'),
    [
        ({}, (4, 8), 0.6, '....####'),
        ({}, (4, 8), 0.7, '.....###'),
        ({}, (4, 8), 1.0, '........'),
        ({'flip_horizontal': True}, (4, 8), 0.6, '####....'),
        ({'flip_vertical': True}, (4, 8), 0.6, '....####'),
        ({'box': (0, 2, 4, 6)}, (4, 4), 0.6, '..##'),
        # Twice as large: 9/16 and then more of what was the fifth column.
        ({'box': (0, 4, 4, 8)}, (8, 8), 0.6, '.#######'),
        (
            {'box': (0, 4, 4, 8), 'flip_horizontal': True},
            *((8, 8), 0.6, '#######.'),
        ),
    ],
)
def test_attention_is_taken_to_the_input(placement, size, threshold, columns):
    placement = Placement(frame=(4, 8), **placement)
    hidden = attended_pixels(RIGHT, placement, size, threshold=threshold)
    assert hidden.dtype == bool
    assert hidden.shape == size
    for row in hidden:
        assert ''.join('.#'[int(x)] for x in row) == columns


def test_any_class_hides():
    maps = np.concatenate([RIGHT, RIGHT[..., ::-1] // 2])
    placement = Placement(frame=(1, 2))
    for threshold, columns in ((0.6, [0, 1]), (0.4, [1, 1]), (0.6, [0, 1])):
        hidden = attended_pixels(maps, placement, (1, 2), threshold=threshold)
        assert hidden.tolist() == [columns]


def test_draws_are_fair_and_independent():
    ids = [f'2007_{number:06}' for number in range(4000)]

    def drawn(prob=0.5, epoch=2, seed=0):
        return np.array(
            [is_dropped(i, epoch=epoch, seed=seed, prob=prob) for i in ids]
        )

    first = drawn()
    assert np.array_equal(first, drawn())
    assert not drawn(0.0).any()
    assert drawn(1.0).all()
    # Four standard deviations of 4000 draws.
    assert abs(first.mean() - 0.5) < 0.032
    assert abs(drawn(0.2).mean() - 0.2) < 0.026
    for other in (drawn(epoch=3), drawn(seed=1)):
        assert abs((first & other).mean() - 0.25) < 0.028
    assert (drawn(0.2) <= first).all()  # one number decides


def test_the_latest_accepted_map_is_kept_and_saved(tmp_path):
    """Not the accumulated one, not a rejected one, none before the start."""
    accumulator = AttentionAccumulator(
        acceptance='all_targets', keep_latest=True
    )
    labels = torch.tensor([[1, 0]])
    # The logit is the mean; the first class has to beat the second.
    for epoch, (first, second) in enumerate(
        [
            ([1.0, 1.0, 4.0], 0.0),  # start_epoch is 1
            ([4.0, 0.0, 2.0], 0.0),
            ([0.0, 4.0, 4.0], 0.0),
            ([1.0, 4.0, 4.0], 9.0),  # rejected
        ]
    ):
        scores = torch.tensor([[[first], [[second] * 3]]])
        accumulator.update(['a'], scores, labels)
        accumulator.finish_epoch(epoch)
        assert len(accumulator.latest) == bool(epoch)
    assert accumulator.latest['a', 0].tolist() == [[0, 255, 255]]
    assert accumulator.store['a', 0].tolist() == [[255, 255, 255]]
    accumulator.save(tmp_path / 'memory')
    restored = AttentionAccumulator(keep_latest=True)
    restored.load(tmp_path / 'memory')
    assert restored.latest['a', 0].tolist() == [[0, 255, 255]]
    plain = AttentionAccumulator()
    plain.load(tmp_path / 'memory')
    assert plain.latest is None
    assert plain.store['a', 0].tolist() == [[255, 255, 255]]
