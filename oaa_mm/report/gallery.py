"""The images of a report: their maps, labels and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oaa_mm.attention import AttentionStore
from oaa_mm.datasets import ImageFolder, find_by_id
from oaa_mm.evaluation import label_at
from oaa_mm.io import read_image, read_mask
from oaa_mm.io.progress import progress
from oaa_mm.visualization import ImageTiles, Tile, choose_ids

from .data import DataFolders
from .options import ReportOptions
from .ranking import choose_groups, rank_images
from .run_maps import RunMaps, open_run_maps
from .scores import Score
from .sources import Sources

#: The threshold of ranked maps where no evaluation has found a better one.
RANKING_THRESHOLD = 0.3
#: Of more images, so many at random are ranked: some minutes should do.
MOST_RANKED = 1000


@dataclass(frozen=True, eq=False)
class ImageCard:
    """An image with all pictures of it.

    Attributes:
        image_id (str): The image.
        groups (Sequence[str]): Why it is shown: ``'best'`` and the like.
        score (float | None): The score that it was ranked by, in percent.
        classes (Sequence[int]): Classes of its maps, labels and mask.
        image (Tile): The image itself.
        stages (Sequence[Tile]): Maps of single stores, labels, the mask.
        epochs (Sequence[tuple[Tile, Tile]]): Maps of each epoch alone, and
            those accumulated after it.
    """

    image_id: str
    groups: Sequence[str]
    score: float | None
    classes: Sequence[int]
    image: Tile
    stages: Sequence[Tile]
    epochs: Sequence[tuple[Tile, Tile]]


@dataclass(frozen=True, eq=False)
class Gallery:
    """The images of a report.

    Attributes:
        cards (tuple[ImageCard, ...]): The images.
        epochs (tuple[int, ...]): The epochs of each card's maps.
        ranked_by (str): What best and worst mean; empty without a ranking.
        notes (tuple[str, ...]): What could not be shown, and why.
    """

    cards: tuple[ImageCard, ...] = ()
    epochs: tuple[int, ...] = ()
    ranked_by: str = ''
    notes: tuple[str, ...] = ()


def draw_gallery(
    sources: Sources,
    data: DataFolders,
    options: ReportOptions,
    scores: Sequence[Score],
) -> Gallery:
    """Choose and draw images.

    Args:
        sources (Sources): Stores and labels.
        data (DataFolders): Images and masks.
        options (ReportOptions): Which images, and how.
        scores (Sequence[Score]): Scores of stores, which know the best
            threshold of each.

    Returns:
        Gallery: Empty where there is nothing to draw.

    Raises:
        ValueError: An image that the user names is unknown, or a file is
            damaged.
    """
    run = open_run_maps(sources, options.epochs)
    notes = list(run.notes)
    known = run.image_ids()
    if not known:
        notes.append('There are neither maps nor pseudo-labels to draw.')
    if not known or data.img_dir is None:
        return Gallery(notes=tuple(notes))
    folders, ranked, ranked_by = dict(run.labels), [], ''
    if data.mask_dir is None:
        notes.append('Without masks there are no best and worst images.')
    else:
        folders['mask'] = data.mask_dir
        if options.best or options.worst:
            ranked, ranked_by = _rank(
                run, known, data.mask_dir, scores, options.seed
            )
    groups = choose_groups(known, ranked, options)
    labels = {
        name: find_by_id(folder, groups, kind=name, allow_missing=True)
        for name, folder in folders.items()
    }
    images, cards = ImageFolder(data.img_dir), []
    percents = dict(ranked)
    for image_id, why in progress(groups.items(), 'images'):
        try:
            image = read_image(images.find(image_id))
        except FileNotFoundError as error:
            notes.append(f'{image_id} is left out: {error}')
            continue
        tiles = ImageTiles(image, height=options.tile_height)
        try:
            pictures = _draw(image_id, tiles, run, labels)
        except ValueError as error:
            raise ValueError(f'{image_id}: {error}') from error
        classes = sorted(tiles.classes)
        score = percents.get(image_id)
        cards.append(ImageCard(image_id, why, score, classes, *pictures))
    shown = tuple(stores.epoch for stores in run.epochs)
    return Gallery(tuple(cards), shown, ranked_by, tuple(notes))


def _draw(
    image_id: str,
    tiles: ImageTiles,
    run: RunMaps,
    labels: Mapping[str, Mapping[str, str]],
) -> tuple[Tile, list[Tile], list[tuple[Tile, Tile]]]:
    """The image, its stages, and its epochs."""
    stages = [
        tiles.maps(name, store.maps_of(image_id))
        for name, store in run.stores.items()
    ]
    for name, files in labels.items():
        path = files.get(image_id)
        stages.append(tiles.mask(name, path and read_mask(path)))
    epochs = [
        tiles.epoch(stores.maps_of(image_id), ('attention', 'OAA'))
        for stores in run.epochs
    ]
    return tiles.image(), stages, epochs


def _rank(
    run: RunMaps,
    known: Sequence[str],
    mask_dir: Path,
    scores: Sequence[Score],
    seed: int,
) -> tuple[list[tuple[str, float]], str]:
    """Images from best to worst, and what that means."""
    among = ''
    if len(known) > MOST_RANKED:
        among = f', among {MOST_RANKED} of {len(known)} images drawn at random'
        known = choose_ids(known, number=MOST_RANKED, seed=seed)
    masks = find_by_id(mask_dir, known, allow_missing=True)
    if run.labels:
        name, folder = next(iter(run.labels.items()))
        files = find_by_id(folder, masks, kind=name, allow_missing=True)
        ranked = rank_images(
            {image_id: masks[image_id] for image_id in files},
            lambda image_id, _: read_mask(files[image_id]),
        )
        what = f'mIoU of the {name} of that image, 255 as an error'
        return ranked, what + among
    store, name = _last_maps(run)
    best = (s.best_threshold for s in scores if s.name == name)
    threshold = next(filter(None, best), RANKING_THRESHOLD)
    ranked = rank_images(
        masks,
        lambda image_id, size: label_at(
            store.maps_of(image_id), size, threshold
        ),
    )
    how = f'{name}, threshold {threshold:.2f}'
    return ranked, f'mIoU of the maps of that image ({how})' + among


def _last_maps(run: RunMaps) -> tuple[AttentionStore, str]:
    """The store of the latest stage (OAA+, OAA, or any), and its caption."""
    name = next(reversed(run.stores), '')
    last = run.epochs[-1] if run.epochs else None
    if last and last.accumulated is not None and not name.endswith('OAA+'):
        return last.accumulated, f'OAA, epoch {last.epoch}'
    return run.stores[name], name
