"""The images of a report: their maps, labels and masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oaa_mm.datasets import ImageFolder
from oaa_mm.evaluation import label_at
from oaa_mm.io import read_image, read_mask
from oaa_mm.io.progress import progress
from oaa_mm.visualization import ImageTiles, Tile, choose_ids
from oaa_mm.visualization.epochs import Maps

from .data import DataFolders
from .ranking import ImageChoice, choose_groups, rank_images
from .run_maps import RunMaps, open_run_maps
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
        groups (tuple[str, ...]): Why it is shown: ``'best'`` and the like.
        score (float | None): The score that it was ranked by, in percent.
        image (Tile): The image itself.
        stages (tuple[Tile, ...]): Maps of single stores, labels, the mask.
        epochs (tuple[tuple[Tile, Tile], ...]): Maps of each epoch alone, and
            those accumulated after it.
        classes (tuple[int, ...]): Classes of its maps, labels and mask.
    """

    image_id: str
    groups: tuple[str, ...]
    score: float | None
    image: Tile
    stages: tuple[Tile, ...]
    epochs: tuple[tuple[Tile, Tile], ...]
    classes: tuple[int, ...]


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
    choice: ImageChoice,
    *,
    thresholds: Mapping[str, float],
) -> Gallery:
    """Choose and draw images.

    Args:
        sources (Sources): Stores and labels.
        data (DataFolders): Images and masks.
        choice (ImageChoice): Which images, and how.
        thresholds (Mapping[str, float]): Caption of a store -> its best
            threshold, where an evaluation has found one.

    Returns:
        Gallery: Empty, with a note, where there is nothing to draw.

    Raises:
        ValueError: An image that the user names is unknown, or a file is
            damaged.
    """
    run = open_run_maps(sources, choice.epochs)
    known = run.image_ids()
    if not known:
        note = 'There are neither maps nor pseudo-labels to draw.'
        return Gallery(notes=(*run.notes, note))
    if data.img_dir is None:
        note = 'No folder of images is known; name it with --img-dir.'
        return Gallery(notes=(*run.notes, *(data.notes or (note,))))
    ranked, ranked_by = _rank(run, data, choice, thresholds, known)
    folders = dict(run.labels)
    notes = list(run.notes)
    if data.mask_dir is None:
        note = 'No folder of masks is known; name it with --masks.'
        notes += data.notes or [note]
        notes.append('Without masks there are no best and worst images.')
    else:
        folders['mask'] = data.mask_dir
    cards, scores = [], dict(ranked)
    groups = choose_groups(known, ranked, choice)
    images = ImageFolder(data.img_dir)
    for image_id, why in progress(groups.items(), 'images'):
        try:
            image = read_image(images.find(image_id))
        except FileNotFoundError as error:
            notes.append(f'{image_id} is left out: {error}')
            continue
        tiles = ImageTiles(
            image, alpha=choice.alpha, height=choice.tile_height
        )
        score = scores.get(image_id)
        cards.append(_draw_card(image_id, why, score, tiles, run, folders))
    epochs = tuple(stores.epoch for stores in run.epochs)
    return Gallery(tuple(cards), epochs, ranked_by, tuple(notes))


def _draw_card(
    image_id: str,
    groups: Sequence[str],
    score: float | None,
    tiles: ImageTiles,
    run: RunMaps,
    folders: Mapping[str, Path],
) -> ImageCard:
    stages = [
        tiles.maps(name, store.maps_of(image_id))
        for name, store in run.stores.items()
    ]
    stages += [
        _label_tile(tiles, name, folder / f'{image_id}.png')
        for name, folder in folders.items()
    ]
    epochs = [
        tiles.epoch(stores.maps_of(image_id), ('attention', 'OAA'))
        for stores in run.epochs
    ]
    return ImageCard(
        image_id,
        tuple(groups),
        None if score is None else 100 * score,
        tiles.image(),
        tuple(stages),
        tuple(epochs),
        tuple(sorted(tiles.classes)),
    )


def _label_tile(tiles: ImageTiles, caption: str, path: Path) -> Tile:
    label = read_mask(path) if path.is_file() else None
    try:
        return tiles.mask(caption, label)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _rank(
    run: RunMaps,
    data: DataFolders,
    choice: ImageChoice,
    thresholds: Mapping[str, float],
    known: Sequence[str],
) -> tuple[list[tuple[str, float]], str]:
    """Images from best to worst, and what that means."""
    if data.mask_dir is None or not (choice.best or choice.worst):
        return [], ''
    among = ''
    if len(known) > MOST_RANKED:
        among = f', among {MOST_RANKED} of {len(known)} images drawn at random'
        known = choose_ids(known, number=MOST_RANKED, seed=choice.seed)
    if run.labels:
        name, folder = next(iter(run.labels.items()))
        known = [i for i in known if (folder / f'{i}.png').is_file()]
        what = f'mIoU of the {name} of that image, 255 as an error'
    else:
        maps_of, name = _last_maps(run)
        threshold = thresholds.get(name, RANKING_THRESHOLD)
        what = (
            f'mIoU of the maps of that image ({name}, threshold '
            f'{threshold:.2f})'
        )

    def label(image_id: str, size: tuple[int, int]) -> np.ndarray:
        if run.labels:
            return read_mask(folder / f'{image_id}.png')
        return label_at(maps_of(image_id), size, threshold)

    return rank_images(known, label, data.mask_dir), what + among


def _last_maps(run: RunMaps) -> tuple[Callable[[str], Maps], str]:
    """The maps of the latest stage: OAA+, OAA, or any other."""
    name = next(reversed(run.stores), '')
    last = run.epochs[-1].accumulated if run.epochs else None
    if last is None or name.endswith('OAA+'):
        return run.stores[name].maps_of, name
    return last.maps_of, f'OAA, epoch {run.epochs[-1].epoch}'
