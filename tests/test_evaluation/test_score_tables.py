"""Text tables and plots of scores."""

import math

import numpy as np
import pytest
from histograms import image_histogram

from oaa_mm.evaluation import (
    Result,
    read_results,
    sweep_scores,
    write_results,
)
from oaa_mm.evaluation.curves import plot_curves, save_curves
from oaa_mm.evaluation.tables import (
    attention_report,
    class_table,
    percent,
    sweep_table,
    sweep_thresholds,
)

NAMES = ('cat', 'cow')


def result(name, right, missing=None, pairs=0, ignore='drop'):
    """Four pixels of cat, one of background; `right` cat pixels found."""
    attention = np.zeros((1, 5), np.uint8)
    attention[0, :right] = 255
    mask = np.array([[1, 1, 1, 1, 0]], np.uint8)
    scores = sweep_scores(image_histogram({0: attention}, mask, 2))
    return Result.of_scores(
        name, {ignore: scores}, NAMES, coverage=0.25, num_images=1,
        missing_images=missing or [], missing_pairs=pairs, num_pixels=5,
    )  # fmt: skip


def test_percent():
    assert percent(0.12345) == '12.35'
    assert percent(math.nan) == '-'


def test_report_compares_stores():
    text = attention_report(
        [result('one', 2), result('two', 4, ['im_x'], 3)],
        thresholds=(0.5, 1.0),
    )
    # one: background 1/3, cat 2/4; two: all right.
    rows = [[cell.strip() for cell in line.split('|')] for line in
            text.splitlines()]  # fmt: skip
    assert [
        '', 'one', '0.000', '41.67', '50.00', '100.00', '50.00', '100.00',
        '50.00', '25.00', '50.00', '',
    ] in rows  # fmt: skip
    assert ['', 'cat', '50.00', '100.00', ''] in rows
    assert ['', '0.5', '41.67', '100.00', ''] in rows
    assert 'cow' not in text
    assert 'recall at precision 100.00' in text
    assert '1 images, 5 pixels; pixels of mask value 255 are dropped' in text
    assert 'two: 1 images have no map and count as all background' in text
    assert 'two: 3 (image, class) pairs of the masks have no map' in text
    assert 'one: ' not in text


def test_a_store_that_finds_nothing(tmp_path):
    nothing = result('none', 0)
    text = attention_report([nothing, result('two', 4)], thresholds=(0.5,))
    assert 'recall at precision -' in text
    write_results(tmp_path / 'a.json', [nothing])
    assert read_results(tmp_path / 'a.json') == [nothing]


def test_report_states_the_other_policy():
    text = attention_report(
        [result('one', 2, ignore='background')], thresholds=(0.5,)
    )
    assert 'pixels of mask value 255 count as background' in text


def test_class_table_leaves_out_what_has_no_score():
    text = class_table(
        {
            'a': {'x': 0.5, 'y': math.nan},
            'b': {'x': math.nan, 'y': math.nan},
            'c': {'x': None, 'y': None},
        },
    )
    assert '| a     | 50.00 | - |' in text
    assert '(2 of 3 classes do not occur: left out)' in text


def test_sweep_table_of_one_store_has_all_columns():
    text = sweep_table({'one': result('one', 2).sweep}, (0.25,))
    for name in ('mIoU', 'fg_mIoU', 'any_precision', 'any_recall'):
        assert name in text
    assert '| 0.25 ' in text


def test_sweep_thresholds():
    assert sweep_thresholds(0.25) == (0.25, 0.5, 0.75, 1.0)
    assert sweep_thresholds(0.1)[2] == 0.3
    assert len(sweep_thresholds(0.05)) == 20
    for step in (0, -0.1, 2):
        with pytest.raises(ValueError, match='sweep step'):
            sweep_thresholds(step)


def test_curves_show_every_store(tmp_path):
    results = [result('one', 2), result('two', 4)]
    figure = plot_curves(results)
    left, right = figure.axes
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ['one', 'two']
    curve = left.get_lines()[0]
    np.testing.assert_allclose(
        curve.get_ydata(), 100 * np.array(results[0].sweep['mIoU'], float)
    )
    np.testing.assert_allclose(
        right.get_lines()[0].get_xdata(),
        100 * np.array(results[0].sweep['recall'], float),
    )
    path = tmp_path / 'sub' / 'curves.png'
    save_curves(path, results)
    assert path.read_bytes().startswith(b'\x89PNG')


def test_plot_format_is_checked(tmp_path):
    with pytest.raises(ValueError, match=r'curves\.txt.*\.svg'):
        save_curves(tmp_path / 'curves.txt', [result('one', 2)])
