"""Scores as text tables, in percent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from prettytable import PrettyTable

from oaa_mm.checks import check_number

from .compare import LabelResult, StoreResult, recalls_at_first_precision
from .scores import Scores, threshold_level

#: Tables say how pixels that the masks mark 255 were treated.
IGNORE_NOTES = {
    'drop': 'pixels of mask value 255 are dropped',
    'background': 'pixels of mask value 255 count as background',
}
#: Tables say how pixels that the labels mark 255 were treated.
POLICY_NOTES = {
    'drop': 'pixels labelled 255 leave the statistics',
    'background': 'pixels labelled 255 count as labelled background',
    'error': 'pixels labelled 255 are missed: false negatives of their '
    'class, false positives of none',
}
#: The means that tables of labels show; those of stores show all.
LABEL_MEANS = ('mIoU', 'fg_mIoU', 'precision', 'recall')


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
    stores: Mapping[str, Scores], thresholds: Sequence[float]
) -> str:
    """Scores at chosen thresholds.

    Args:
        stores (Mapping[str, Scores]): Name -> scores. One store shows all
            its means, several show their mIoU.
        thresholds (Sequence[float]): In [0, 1].

    Returns:
        str: The table, one row per threshold.
    """
    columns = {f'mIoU {n}': s.miou for n, s in stores.items()}
    if len(stores) == 1:
        columns = next(iter(stores.values())).means()
    rows = []
    for threshold in thresholds:
        level = threshold_level(threshold)
        shares = (column[level] for column in columns.values())
        rows.append([f'{threshold:g}', *map(percent, shares)])
    return text_table(['threshold', *columns], rows)


def attention_report(
    results: Sequence[StoreResult],
    class_names: Sequence[str],
    *,
    thresholds: Sequence[float],
) -> str:
    """Compare stores: summary, per-class IoU, sweep, and what was counted.

    Args:
        results (Sequence[StoreResult]): The stores, the reference first.
        class_names (Sequence[str]): Names of the C foreground classes.
        thresholds (Sequence[float]): Rows of the sweep table.

    Returns:
        str: Several tables with headings.
    """
    ious = {f'IoU {r.name}': r.scores.per_class()['IoU'] for r in results}
    scores = {result.name: result.scores for result in results}
    parts = [
        'Each store at its best threshold (percent):',
        _store_table(results),
        'Per class, at the same thresholds (percent):',
        class_table(['background', *class_names], ious),
        'Threshold sweep (percent):',
        sweep_table(scores, thresholds),
        *_store_notes(results),
    ]
    return '\n'.join(parts)


def _store_table(results: Sequence[StoreResult]) -> str:
    rows = [
        [
            result.name,
            f'{result.scores.best_threshold:.3f}',
            *map(percent, result.scores.best().values()),
            percent(result.coverage),
            percent(recall),
        ]
        for result, recall in zip(
            results, recalls_at_first_precision(results), strict=True
        )
    ]
    best = results[0].scores.best()
    last = f'recall at precision {percent(best["precision"])}'
    return text_table(
        ['store', 'best threshold', *best, 'coverage', last], rows
    )


def _store_notes(results: Sequence[StoreResult]) -> list[str]:
    notes = [
        _counted(results[0], IGNORE_NOTES[results[0].ignore]),
        'A pixel has the label of its strongest class where that attention '
        'is >= threshold and > 0, else background.',
        'any_*: foreground against background, whichever class.',
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


def _counted(result: StoreResult | LabelResult, ignored: str) -> str:
    return (
        f'{result.num_images} images, {result.num_pixels:,} pixels; {ignored}.'
        ' mIoU: mean over classes that occur in the masks, with background; '
        'fg_mIoU, precision, recall: without it.'
    )


def label_report(
    results: Sequence[LabelResult], class_names: Sequence[str]
) -> str:
    """Compare folders of labels under each treatment of 255.

    Args:
        results (Sequence[LabelResult]): The folders.
        class_names (Sequence[str]): Names of the C foreground classes.

    Returns:
        str: A table of means, one of the classes of each folder, and notes.
    """
    rows, classes = [], []
    for result in results:
        for policy, scores in result.scores.items():
            means = scores.best()
            shares = [*(means[n] for n in LABEL_MEANS), result.ignored]
            rows.append([result.name, policy, *map(percent, shares)])
        classes.append(f'{result.name}, per class (percent):')
        classes.append(_label_classes(result, ['background', *class_names]))
    header = ['labels', '255 is', *LABEL_MEANS, 'share of 255']
    parts = [
        'Labels against masks (percent):',
        text_table(header, rows),
        *classes,
        *(
            f'{policy}: {POLICY_NOTES[policy]}.'
            for policy in results[0].scores
        ),
        _counted(results[0], IGNORE_NOTES['drop']),
    ]
    return '\n'.join(parts)


def _label_classes(result: LabelResult, names: Sequence[str]) -> str:
    policy, first = next(iter(result.scores.items()))
    columns = {f'IoU ({p})': s.iou[:, 0] for p, s in result.scores.items()}
    columns |= {f'{n} ({policy})': v for n, v in first.per_class().items()}
    return class_table(names, columns)
