"""Scores of maps, labels and networks, as a report shows them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from oaa_mm.evaluation import Result, read_results

from .sources import Sources, store_caption

#: Names of folders that only say that they hold labels.
_PLAIN = ('pseudo_labels', 'labels', 'out')
_TREATMENTS = {
    'drop': 'dropped',
    'background': 'as background',
    'error': 'as errors',
}


@dataclass(frozen=True)
class Score:
    """The scores of one store, folder of labels, or network.

    Attributes:
        name (str): What was scored, in a reader's words.
        note (str): Conditions: the threshold, or what 255 counts as.
        result (Result): The scores.
    """

    name: str
    note: str
    result: Result


def read_scores(sources: Sources) -> list[Score]:
    """Read all scores: maps first, then labels, then networks.

    Args:
        sources (Sources): Files of ``tools/evaluate.py`` and
            ``tools/test.py``. What the latter says of a store counts only
            where no file of the former scores maps.

    Returns:
        list[Score]: In the order of the method's stages.

    Raises:
        ValueError: A file is damaged; it is named.
    """
    compared = [
        _score(result, result.name)
        for path in sources.scores
        for result in read_results(path)
    ]
    tested = []
    for folder, path in sources.tests.items():
        with suppress(ValueError):  # a run was killed while it wrote the file
            tested += [_score(result, folder) for result in read_results(path)]
    if any(score.result.kind == 'maps' for score in compared):
        tested = [score for score in tested if score.result.kind != 'maps']
    kinds = ('maps', 'labels', 'network')
    return sorted(
        [*compared, *tested], key=lambda s: kinds.index(s.result.kind)
    )


def _score(result: Result, name: str) -> Score:
    return Score(_name(result, name), '; '.join(_notes(result)), result)


def _name(result: Result, name: str) -> str:
    if result.kind == 'network':
        return f'network ({name})'
    if result.kind == 'labels':
        return 'pseudo-labels' if name in _PLAIN else f'pseudo-labels {name}'
    return store_caption(name) if result.name else f'maps of {name}'


def _notes(result: Result) -> Iterator[str]:
    treated = _TREATMENTS[result.policy]
    if result.kind == 'maps':
        yield f'at its best threshold {result.threshold:.2f}'
        yield f'coverage {100 * result.coverage:.1f} %'
        if result.name:
            yield f'255 in the masks {treated}'
    elif result.kind == 'labels':
        share = f'{100 * result.ignored:.1f} % of pixels'
        yield f'255 in the labels ({share}) {treated}'
        for policy, means in result.means.items():
            if policy != result.policy:
                miou = means['mIoU']
                shown = '-' if miou is None else f'{100 * miou:.1f}'
                yield f'mIoU {shown} {_TREATMENTS[policy]}'
    else:
        for key in ('aAcc', 'mAcc'):
            if key in result.best:
                yield f'{key} {100 * result.best[key]:.1f}'
