"""Which images a report shows: chosen, best, worst and random ones."""

import math
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.evaluation import confusion_scores, label_at, label_matrix
from oaa_mm.io import classes_in, find_by_id, read_mask
from oaa_mm.io.progress import progress
from oaa_mm.visualization import choose_ids

from .run import ReportOptions, Run
from .scores import Score

#: Why an image is shown.
GROUPS = ('chosen', 'moving', 'best', 'worst', 'random')
#: The threshold of ranked maps where no evaluation has found a better one.
RANKING_THRESHOLD = 0.3
#: Of more images, so many at random are ranked: some minutes should do.
MOST_RANKED = 1000
#: Images with their scores in percent, best first.
Ranked = list[tuple[str, float]]


def image_score(label: np.ndarray, mask: np.ndarray) -> float:
    """Mean IoU over the classes in the mask of one image.

    Args:
        label (np.ndarray): (H, W) uint8; pixels of 255 count as missed.
        mask (np.ndarray): (H, W) uint8; pixels of 255 are dropped.

    Returns:
        float: In [0, 1]; NaN where the mask holds no pixel.

    Raises:
        ValueError: The sizes differ.
    """
    last = max((*classes_in(label), *classes_in(mask)), default=0)
    matrix = label_matrix(label, mask, last + 1)
    if not matrix.any():
        return math.nan
    return confusion_scores(matrix, 'error').best()['mIoU']


def rank_images(
    run: Run,
    known: Sequence[str],
    scores: Sequence[Score],
    options: ReportOptions,
) -> tuple[Ranked, str]:
    """Order the images of a run that have a mask from best to worst.

    Args:
        run (Run): Its first labels are scored; maps where there are none.
        known (Sequence[str]): Images that have maps or labels, sorted.
        scores (Sequence[Score]): The best thresholds of maps.
        options (ReportOptions): Which images are wanted.

    Returns:
        tuple[Ranked, str]: The images, and what they are ordered by; both
        empty where nobody wants the order, or there are no masks.

    Raises:
        ValueError: A label or mask does not fit; it is named.
    """
    if not (options.best or options.worst):
        return [], ''
    among = ''
    if len(known) > MOST_RANKED:
        among = f', among {MOST_RANKED} of {len(known)} images drawn at random'
        known = choose_ids(known, number=MOST_RANKED, seed=options.seed)
    masks = run.find_masks(known)
    if not masks:
        return [], ''
    if run.labels:
        name, folder = next(iter(run.labels.items()))
        files = find_by_id(folder, masks, kind=name, allow_missing=True)
        ranked = _rank(
            {image_id: masks[image_id] for image_id in files},
            run.data.binary_masks,
            lambda image_id, _: read_mask(files[image_id]),
        )
        what = f'mIoU of the {name} of that image, 255 as an error'
        return ranked, what + among
    store, name = _last_maps(run)
    best = (s.result.threshold for s in scores if s.name == name)
    threshold = next(filter(None, best), RANKING_THRESHOLD)
    ranked = _rank(
        masks,
        run.data.binary_masks,
        lambda image_id, size: label_at(
            store.maps_of(image_id), size, threshold
        ),
    )
    how = f'{name}, threshold {threshold:.2f}'
    return ranked, f'mIoU of the maps of that image ({how})' + among


def _rank(
    masks: Mapping[str, str],
    binary: bool,
    label_of: Callable[[str, tuple[int, int]], np.ndarray],
) -> Ranked:
    """Compare masks with the labels of image ids and sizes of masks."""
    scores = []
    for image_id, path in progress(masks.items(), 'ranking'):
        mask = read_mask(path, binary=binary)
        try:
            score = 100 * image_score(label_of(image_id, mask.shape), mask)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from error
        if not math.isnan(score):
            scores.append((image_id, score))
    return sorted(scores, key=lambda pair: (-pair[1], pair[0]))


def _last_maps(run: Run) -> tuple[AttentionStore, str]:
    """The store of the latest stage (OAA+, OAA, or any), and its caption."""
    name = next(reversed(run.stores), '')
    last = run.epochs[-1] if run.epochs else None
    if last and last.accumulated is not None and not name.endswith('OAA+'):
        return last.accumulated, f'OAA, epoch {last.epoch}'
    return run.stores[name], name


def moving_images(
    run: Run, known: Sequence[str], ranked: Ranked, options: ReportOptions
) -> list[str]:
    """The images in which attention moves most over objects.

    These are the images whose accumulated maps exceed the mean of those of
    single epochs most, of different classes as far as there are such. What
    they gain outside of the object counts against them where a mask is known.

    Args:
        run (Run): Its epochs and masks.
        known (Sequence[str]): Images that have maps or labels, sorted.
        ranked (Ranked): From :func:`rank_images`; the better half is looked
            at, all images where there is no order.
        options (ReportOptions): How many are wanted.

    Returns:
        list[str]: None where no maps of several epochs are there.
    """
    among = [image_id for image_id, _ in ranked[: (len(ranked) + 1) // 2]]
    among = among or choose_ids(known, number=MOST_RANKED, seed=options.seed)
    masks = run.find_masks(among)
    stores = [s for e in run.epochs if (s := e.current or e.accumulated)]
    last = run.epochs and run.epochs[-1].accumulated
    gains: dict[str, float] = {}
    for image_id in among if last else ():
        path = masks.get(image_id)
        mask = path and read_mask(path, binary=run.data.binary_masks)
        for index, accumulated in last.maps_of(image_id).items():
            pair = image_id, index
            single = [store[pair] for store in stores if pair in store]
            gain = accumulated - np.mean([accumulated, *single], 0)
            if mask is not None:
                inside = (mask == index + 1).astype(np.float32)
                size = gain.shape[::-1]
                share = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
                gain *= 2 * share - 1
            if len(single) > 1:
                gains[image_id] = gains.get(image_id, 0) + gain.mean()
    most = sorted(gains, key=lambda image_id: (-gains[image_id], image_id))
    firsts = {last.classes_of(image_id): image_id for image_id in most[::-1]}
    most.sort(key=lambda image_id: image_id not in firsts.values())
    return most[: options.moving]


def choose_groups(
    run: Run, known: Sequence[str], ranked: Ranked, options: ReportOptions
) -> dict[str, list[str]]:
    """The images to show, and why.

    Args:
        run (Run): Maps of epochs.
        known (Sequence[str]): Images that have maps or labels, sorted.
        ranked (Ranked): From :func:`rank_images`.
        options (ReportOptions): How many of which.

    Returns:
        dict[str, list[str]]: Image -> those of :data:`GROUPS` that it is in.

    Raises:
        ValueError: A named image is unknown.
    """
    names = [image_id for image_id, _ in ranked]
    random = []
    if options.random:
        random = choose_ids(known, number=options.random, seed=options.seed)
    members = (
        choose_ids(known, ids=options.ids),
        moving_images(run, known, ranked, options),
        names[: options.best],
        names[::-1][: options.worst],
        random,
    )
    chosen: dict[str, list[str]] = {}
    for group, image_ids in zip(GROUPS, members, strict=True):
        for image_id in image_ids:
            chosen.setdefault(image_id, []).append(group)
    return chosen
