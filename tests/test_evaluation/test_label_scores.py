"""Scores of pseudo-labels, with each treatment of their 255."""

import importlib.util
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oaa_mm.evaluation import (
    confusion_scores,
    evaluate_labels,
    label_matrix,
    write_results,
)
from oaa_mm.evaluation.scores import LABEL_POLICIES
from oaa_mm.evaluation.tables import label_report
from oaa_mm.io import write_mask

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'evaluate.py'

NAMES = ('cat', 'cow')
MASK = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 255, 255]], np.uint8)
LABEL = np.array([[0, 0, 1, 255, 1, 1, 0, 255, 1, 255]], np.uint8)


def test_matrix_by_hand():
    assert label_matrix(LABEL, MASK, 2).tolist() == [
        [2, 1, 0, 1],
        [1, 2, 0, 1],
        [0, 0, 0, 0],
    ]


@pytest.mark.parametrize(
    ('policy', 'iou', 'precision', 'recall'),
    [
        ('drop', [2 / 4, 2 / 4], [2 / 3, 2 / 3], [2 / 3, 2 / 3]),
        ('background', [3 / 6, 2 / 5], [3 / 5, 2 / 3], [3 / 4, 2 / 4]),
        ('error', [2 / 5, 2 / 5], [2 / 3, 2 / 3], [2 / 4, 2 / 4]),
    ],
)
def test_policies_by_hand(policy, iou, precision, recall):
    scores = confusion_scores(label_matrix(LABEL, MASK, 2), policy)
    np.testing.assert_allclose(scores.iou[:, 0], [*iou, math.nan])
    np.testing.assert_allclose(scores.precision[:, 0], [*precision, math.nan])
    np.testing.assert_allclose(scores.recall[:, 0], [*recall, math.nan])
    assert scores.occurs.tolist() == [True, True, False]
    assert scores.best()['mIoU'] == pytest.approx(sum(iou) / 2)
    assert scores.best()['fg_mIoU'] == pytest.approx(iou[1])


values = st.sampled_from([0, 1, 2, 3, 255])


@settings(max_examples=80, deadline=None)
@given(
    label=arrays(np.uint8, (4, 5), elements=values),
    mask=arrays(np.uint8, (4, 5), elements=values),
)
def test_policies_equal_the_words(label, mask):
    """What the policies say, done to the arrays, set by set."""
    matrix = label_matrix(label, mask, 3)
    if not matrix.any():
        with pytest.raises(ValueError, match='no pixel to compare'):
            confusion_scores(matrix, 'drop')
        return
    for policy in LABEL_POLICIES:
        scores = confusion_scores(matrix, policy)
        keep = mask != 255
        if policy == 'drop':
            keep = keep & (label != 255)
        shown = np.where(label == 255, 0, label)
        if policy == 'error':
            shown = label
        for row in range(4):
            truth, found = keep & (mask == row), keep & (shown == row)
            both = (truth & found).sum()
            for name, total in (
                ('iou', (truth | found).sum()),
                ('precision', found.sum()),
                ('recall', truth.sum()),
            ):
                expected = both / total if total else math.nan
                np.testing.assert_allclose(
                    getattr(scores, name)[row], expected
                )


def test_extra_class_counts_only_where_it_occurs():
    mask, label = (
        np.zeros((1, 4), np.uint8),
        np.array([[0, 0, 0, 2]], np.uint8),
    )
    scores = confusion_scores(label_matrix(label, mask, 2), 'drop')
    assert scores.miou == pytest.approx([3 / 4])
    assert scores.iou[2] == 0


@pytest.mark.parametrize(
    ('label', 'mask', 'message'),
    [
        (np.zeros((1, 3), np.uint8), MASK, r'label is \(1, 3\).*\(1, 10\)'),
        (LABEL, np.full_like(MASK, 3), 'the mask holds the value 3, but 2'),
        (np.full_like(MASK, 4), MASK, 'the label holds the value 4'),
    ],
)
def test_what_does_not_fit(label, mask, message):
    with pytest.raises(ValueError, match=message):
        label_matrix(label, mask, 2)


def test_unknown_policy():
    with pytest.raises(ValueError, match="but got 'skip'"):
        confusion_scores(np.zeros((2, 3)), 'skip')


@pytest.fixture
def world(tmp_path):
    for name, label in (('one', LABEL), ('two', MASK)):
        write_mask(tmp_path / name / 'labels' / 'a.png', label)
        write_mask(tmp_path / name / 'labels' / 'b.png', MASK)
    for image_id in 'ab':
        write_mask(tmp_path / 'masks' / f'{image_id}.png', MASK)
    (tmp_path / 'list.txt').write_text('a\nb\n')
    return tmp_path


def compare(world, *names, **options):
    folders = [world / name / 'labels' for name in names]
    masks, *labels = (
        {i: folder / f'{i}.png' for i in 'ab'}
        for folder in (world / 'masks', *folders)
    )
    return [
        evaluate_labels(files, masks, NAMES, name=name, **options)
        for name, files in zip(names, labels, strict=True)
    ]


def test_folders_side_by_side(world):
    one, two = compare(world, 'one', 'two')
    assert (one.name, two.name) == ('one', 'two')
    assert one.num_pixels == 16
    assert one.class_ious['cat'] == one.class_ious['background'] == 6 / 8
    assert one.ignored == pytest.approx(2 / 16)
    assert two.means['error']['mIoU'] == 1
    assert (two.ignored, two.num_images) == (0, 2)


def test_report_states_the_policies(world):
    report = label_report(compare(world, 'one', 'two'))
    cells = [line.split() for line in report.splitlines() if 'drop |' in line]
    assert cells[0][1:5:2] == ['one', 'drop']
    assert cells[0][5::2] == ['75.00', '75.00', '85.71', '85.71', '12.50']
    assert 'pixels labelled 255 are missed' in report
    assert (
        '2 images, 16 pixels; pixels of mask value 255 are dropped' in report
    )
    one = label_report(compare(world, 'one', policies=['error']))
    assert 'drop |' not in one


def test_json_has_null_for_nothing(world):
    path = world / 'scores.json'
    write_results(path, compare(world, 'one'))
    (folder,) = json.loads(path.read_text())['folders']
    assert folder['ignored'] == pytest.approx(0.125)
    assert folder['drop']['mIoU'] == pytest.approx(0.75)
    assert folder['background']['per_class']['cat']['recall'] == 0.75
    assert folder['error']['per_class']['cow']['iou'] is None


def test_labels_that_do_not_fit_are_named(world):
    write_mask(world / 'two/labels/b.png', MASK[:, :4])
    with pytest.raises(
        ValueError, match=r'b\.png against .*b\.png: the label'
    ):
        compare(world, 'two')


def evaluate(world, *more):
    spec = importlib.util.spec_from_file_location('tool_evaluate_l', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([
        'labels', str(world / 'one'), '--masks', str(world / 'masks'),
        '--list', str(world / 'list.txt'), '--classes', 'cat,cow',
        '--json', str(world / 'scores.json'), *more,
    ])  # fmt: skip


def test_command_shows_all_policies(world, capsys):
    assert not evaluate(world)
    text = capsys.readouterr().out
    for policy in LABEL_POLICIES:
        assert f' {policy} |' in text
        assert f'\n{policy}: pixels labelled 255 ' in text
    (folder,) = json.loads((world / 'scores.json').read_text())['folders']
    assert set(LABEL_POLICIES) <= set(folder)


def test_missing_labels(world):
    (world / 'one/labels/b.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2 labels .*b\.png'):
        evaluate(world)
    shutil.rmtree(world / 'one')
    with pytest.raises(FileNotFoundError, match='no such folder of labels'):
        evaluate(world)


def test_command_shows_one_policy(world, capsys):
    evaluate(world, '--ignore-policy', 'error')
    assert ' drop |' not in capsys.readouterr().out
    (folder,) = json.loads((world / 'scores.json').read_text())['folders']
    assert 'drop' not in folder
    assert folder['error']['mIoU'] == pytest.approx((6 / 9 + 6 / 9) / 2)
