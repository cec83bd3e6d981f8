"""Scores as text tables, in percent."""

import math
from collections.abc import Iterator, Mapping, Sequence

from prettytable import PrettyTable

from oaa_mm.checks import check_number

from .counts import NUM_LEVELS
from .results import Result, recalls_at_first_precision

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


def percent(value: float | None) -> str:
    """A share as percent with two decimals; ``-`` for NaN and None."""
    undefined = value is None or math.isnan(value)
    return '-' if undefined else f'{100 * value:.2f}'


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A text table, its first column to the left, the others to the right.

    Args:
        header (Sequence[str]): Headings, of one or several lines.
        rows (Sequence[Sequence[str]]): Cells, row by row.

    Returns:
        str: The table.
    """
    columns = [str(number) for number in range(len(header))]
    # PrettyTable cuts a second line of its own headings off.
    table = PrettyTable(columns, align='r', header=False)
    table.align['0'] = 'l'
    table.add_row(list(header), divider=True)
    table.add_rows([list(row) for row in rows])
    return table.get_string()


def class_table(classes: Mapping[str, Mapping[str, float | None]]) -> str:
    """One row per class that has any score.

    Args:
        classes (Mapping[str, Mapping[str, float | None]]): Class name ->
            heading -> score in [0, 1].

    Returns:
        str: The table; a last line counts classes without any score.
    """
    rows = [[name, *map(percent, s.values())] for name, s in classes.items()]
    shown = [row for row in rows if set(row[1:]) != {'-'}]
    keys = next(iter(classes.values()))
    heads = ['IoU' if key == 'iou' else key for key in keys]
    text = text_table(['class', *heads], shown)
    if len(shown) < len(rows):
        hidden = len(rows) - len(shown)
        text += f'\n({hidden} of {len(rows)} classes do not occur: left out)'
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


def threshold_level(threshold: float) -> int:
    """The lowest level T in 0..255 whose pixels satisfy v >= 255 threshold.

    Args:
        threshold (float): A threshold in [0, 1].

    Returns:
        int: ceil(255 threshold); thresholds T / 255 give T itself.

    Raises:
        ValueError: `threshold` is outside [0, 1].
    """
    check_number('a threshold', threshold, low=0, high=1)
    # T / 255 * 255 may come out a hair above T.
    return math.ceil(threshold * (NUM_LEVELS - 1) - 1e-9)


def sweep_table(
    sweeps: Mapping[str, Mapping[str, Sequence[float]]],
    thresholds: Sequence[float],
) -> str:
    """Scores at chosen thresholds.

    Args:
        sweeps (Mapping[str, Mapping[str, Sequence[float]]]): Name -> sweep of
            a :class:`~oaa_mm.evaluation.Result`. One store shows all its
            means, several show their mIoU.
        thresholds (Sequence[float]): In [0, 1].

    Returns:
        str: The table, one row per threshold.
    """
    columns = {f'mIoU {name}': s['mIoU'] for name, s in sweeps.items()}
    if len(sweeps) == 1:
        columns = dict(next(iter(sweeps.values())))
        del columns['threshold']
    rows = []
    for threshold in thresholds:
        level = threshold_level(threshold)
        shares = (column[level] for column in columns.values())
        rows.append([f'{threshold:g}', *map(percent, shares)])
    return text_table(['threshold', *columns], rows)


def attention_report(
    results: Sequence[Result], thresholds: Sequence[float]
) -> str:
    """Compare stores: summary, per-class IoU, sweep, and the counts.

    Args:
        results (Sequence[Result]): The stores, the reference first.
        thresholds (Sequence[float]): Rows of the sweep table.

    Returns:
        str: Several tables with headings.
    """
    first = results[0]
    classes = first.per_class[first.policy]
    if len(results) > 1:
        classes = {
            name: {f'IoU {r.name}': r.class_ious[name] for r in results}
            for name in classes
        }
    parts = [
        'Each store at its best threshold (percent):',
        _store_table(results),
        'Per class, at the same thresholds (percent):',
        class_table(classes),
        'Threshold sweep (percent):',
        sweep_table({r.name: r.sweep for r in results}, thresholds),
        _counted(first, IGNORE_NOTES[first.policy]),
        'A pixel has the label of its strongest class where that attention '
        'is >= threshold and > 0, else background.',
        'any_*: foreground against background, whichever class.',
        'The best threshold is chosen with these very masks.',
        *(note for result in results for note in _missing(result)),
    ]
    return '\n'.join(parts)


def _store_table(results: Sequence[Result]) -> str:
    recalls = recalls_at_first_precision(results)
    target = percent(results[0].best['precision'])
    header = ['store', 'best threshold', *results[0].best, 'coverage']
    rows = []
    for result, recall in zip(results, recalls, strict=True):
        shares = [*result.best.values(), result.coverage, recall]
        cells = map(percent, shares)
        rows.append([result.name, f'{result.threshold:.3f}', *cells])
    return text_table([*header, f'recall at precision {target}'], rows)


def _missing(result: Result) -> Iterator[str]:
    if result.missing_images:
        yield (
            f'{result.name}: {len(result.missing_images)} images have no map '
            'and count as all background.'
        )
    if result.missing_pairs:
        yield (
            f'{result.name}: {result.missing_pairs} (image, class) pairs of '
            'the masks have no map; their pixels cannot be found.'
        )


def _counted(result: Result, ignored: str) -> str:
    return (
        f'{result.num_images} images, {result.num_pixels:,} pixels; {ignored}.'
        ' mIoU: mean over classes that occur in the masks, with background; '
        'fg_mIoU, precision, recall: without it.'
    )


def label_report(results: Sequence[Result]) -> str:
    """Compare folders of labels under each treatment of 255.

    Args:
        results (Sequence[Result]): The folders.

    Returns:
        str: A table of means, one of the classes of each folder, and notes.
    """
    rows, classes = [], []
    for result in results:
        by_policy = result.per_class
        for policy, means in result.means.items():
            shares = [*(means[n] for n in LABEL_MEANS), result.ignored]
            rows.append([result.name, policy, *map(percent, shares)])
        main = result.policy
        columns = {
            name: {f'IoU ({p})': c[name]['iou'] for p, c in by_policy.items()}
            | {f'{key} ({main})': row[key] for key in ('precision', 'recall')}
            for name, row in by_policy[main].items()
        }
        classes.append(f'{result.name}, per class (percent):')
        classes.append(class_table(columns))
    header = ['labels', '255 is', *LABEL_MEANS, 'share of 255']
    parts = [
        'Labels against masks (percent):',
        text_table(header, rows),
        *classes,
        *(f'{p}: {POLICY_NOTES[p]}.' for p in results[0].means),
        _counted(results[0], IGNORE_NOTES['drop']),
    ]
    return '\n'.join(parts)
