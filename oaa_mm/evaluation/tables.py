"""Scores as text tables, in percent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from prettytable import PrettyTable

from oaa_mm.checks import check_number

from .scores import AttentionScores, threshold_level
from .sweep import StoreResult, recalls_at_first_precision

#: Said wherever tables show scores, so that nobody has to guess.
IGNORE_NOTES = {
    'drop': 'pixels of mask value 255 are dropped',
    'background': 'pixels of mask value 255 count as background',
}


def percent(value: float) -> str:
    """A share as percent with two decimals; ``-`` for NaN."""
    return '-' if math.isnan(value) else f'{100 * value:.2f}'


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A text table, its first column to the left, the others to the right.

    Args:
        header (Sequence[str]): Headings.
        rows (Sequence[Sequence[str]]): Cells, row by row.

    Returns:
        str: The table.
    """
    table = PrettyTable(list(header), align='r')
    table.align[header[0]] = 'l'
    table.add_rows([list(row) for row in rows])
    return table.get_string()


def class_table(
    class_names: Sequence[str], columns: Mapping[str, np.ndarray]
) -> str:
    """One row per class that has any score.

    Args:
        class_names (Sequence[str]): Names of the R rows.
        columns (Mapping[str, np.ndarray]): Heading -> (R,) scores in [0, 1].

    Returns:
        str: The table; a last line counts classes without any score.
    """
    scores = np.stack([np.asarray(c, float) for c in columns.values()], 1)
    shown = ~np.isnan(scores).all(1)
    rows = [
        [name, *map(percent, row)]
        for name, row, show in zip(class_names, scores, shown, strict=True)
        if show
    ]
    text = text_table(['class', *columns], rows)
    hidden = int((~shown).sum())
    if hidden:
        text += f'\n({hidden} classes that do not occur are left out)'
    return text


def sweep_thresholds(step: float) -> tuple[float, ...]:
    """Thresholds of a sweep table: multiples of `step` from `step` up to 1.

    Args:
        step (float): In (0, 1].

    Returns:
        tuple[float, ...]: The thresholds, increasing.

    Raises:
        ValueError: `step` is outside (0, 1].
    """
    check_number('the sweep step', step, low=0, high=1, excluded=0)
    count = int(1 / step + 1e-9)
    return tuple(round(step * (index + 1), 6) for index in range(count))


def sweep_table(
    stores: Mapping[str, AttentionScores], thresholds: Sequence[float]
) -> str:
    """Scores at chosen thresholds.

    Args:
        stores (Mapping[str, AttentionScores]): Name -> scores. One store
            shows all its summary scores, several show their mIoU.
        thresholds (Sequence[float]): In [0, 1].

    Returns:
        str: The table, one row per threshold.
    """
    if len(stores) == 1:
        curves = next(iter(stores.values())).curves()
        columns = {name: curves[name] for name in SUMMARY_COLUMNS}
    else:
        columns = {f'mIoU {n}': s.miou for n, s in stores.items()}
    levels = [threshold_level(threshold) for threshold in thresholds]
    rows = [
        [f'{threshold:g}', *(percent(c[level]) for c in columns.values())]
        for threshold, level in zip(thresholds, levels, strict=True)
    ]
    return text_table(['threshold', *columns], rows)


#: Columns of tables that show a single store.
SUMMARY_COLUMNS = (
    'mIoU',
    'fg_mIoU',
    'precision',
    'recall',
    'any_precision',
    'any_recall',
)


def _comparison_table(results: Sequence[StoreResult]) -> str:
    recalls = recalls_at_first_precision(results)
    first = results[0].scores
    target = percent(first.macro_precision[first.best_level])
    header = [
        'store',
        'best threshold',
        *SUMMARY_COLUMNS,
        'coverage',
        f'recall at precision {target}',
    ]
    rows = []
    for result, recall in zip(results, recalls, strict=True):
        best = result.scores.best()
        rows.append(
            [
                result.name,
                f'{best["threshold"]:.3f}',
                *(percent(best[name]) for name in SUMMARY_COLUMNS),
                percent(result.coverage),
                percent(recall),
            ]
        )
    return text_table(header, rows)


def attention_report(
    results: Sequence[StoreResult],
    class_names: Sequence[str],
    *,
    ignore: str,
    thresholds: Sequence[float],
) -> str:
    """Compare stores: summary, per-class IoU, sweep, and what was counted.

    Args:
        results (Sequence[StoreResult]): The stores, the reference first.
        class_names (Sequence[str]): Names of the C foreground classes.
        ignore (str): The policy for mask value 255 that was used.
        thresholds (Sequence[float]): Rows of the sweep table.

    Returns:
        str: Several tables with headings.
    """
    ious = {
        f'IoU {r.name}': r.scores.iou[:, r.scores.best_level] for r in results
    }
    scores = {result.name: result.scores for result in results}
    parts = [
        'Each store at its best threshold (percent):',
        _comparison_table(results),
        'Per class, at the same thresholds (percent):',
        class_table(['background', *class_names], ious),
        'Threshold sweep (percent):',
        sweep_table(scores, thresholds),
        *_notes(results, ignore),
    ]
    return '\n'.join(parts)


def _notes(results: Sequence[StoreResult], ignore: str) -> list[str]:
    first = results[0]
    notes = [
        f'{first.num_images} images, {first.num_pixels:,} pixels; '
        f'{IGNORE_NOTES[ignore]}.',
        'A pixel has the label of its strongest class where that attention '
        'is >= threshold and > 0, else background.',
        'mIoU: mean over classes that occur in the masks, with background; '
        'fg_mIoU: without it. precision, recall: mean over these foreground '
        'classes; any_*: foreground against background, whichever class.',
        'The best threshold is chosen with these very masks.',
    ]
    for result in results:
        if result.missing_images:
            notes.append(
                f'{result.name}: {len(result.missing_images)} images have no '
                'map and count as all background.'
            )
        if result.missing_pairs:
            notes.append(
                f'{result.name}: {result.missing_pairs} (image, class) pairs '
                'of the masks have no map; their pixels cannot be found.'
            )
    return notes
