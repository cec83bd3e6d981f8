"""From the files of a work_dir to the images of a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from oaa_mm.checks import check_number
from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress
from oaa_mm.visualization.draw import choose_ids
from oaa_mm.visualization.epochs import evenly_spaced, maps_over_epochs

from .data import DataFolders
from .images import ImageCard, Maps, draw_card
from .ranking import choose_groups, label_at, rank_images
from .run_maps import Material, open_material
from .sources import Sources

#: At which maps are ranked where no evaluation has found a better one.
RANKING_THRESHOLD = 0.3
#: Of more images, so many at random are ranked: some minutes should do.
MOST_RANKED = 1000


@dataclass(frozen=True)
class ImageChoice:
    """Which images a report shows, and how.

    Attributes:
        ids (tuple[str, ...]): Images by name.
        best (int): How many of the best.
        worst (int): How many of the worst.
        random (int): How many at random.
        seed (int): Of the random ones.
        epochs (int): How many epochs at most; evenly spaced.
        tile_height (int): Of the pictures, in pixels.
        alpha (float): Weight of the colours over the image, 0..1.

    Raises:
        ValueError: A number is out of its range.
    """

    ids: tuple[str, ...] = ()
    best: int = 3
    worst: int = 3
    random: int = 4
    seed: int = 0
    epochs: int = 10
    tile_height: int = 180
    alpha: float = 0.6

    def __post_init__(self) -> None:
        check_number('epochs', self.epochs, low=1, integer=True)
        check_number('tile_height', self.tile_height, low=16, integer=True)


@dataclass(frozen=True)
class Gallery:
    """The images of a report.

    Attributes:
        cards (tuple[ImageCard, ...]): The images.
        ranked_by (str): What best and worst mean; empty without a ranking.
        notes (tuple[str, ...]): What could not be shown, and why.
    """

    cards: tuple[ImageCard, ...] = ()
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
    material = open_material(sources)
    known = material.image_ids()
    if not known:
        note = 'There are neither maps nor pseudo-labels to draw.'
        return Gallery(notes=(*material.notes, note))
    if data.img_dir is None:
        note = 'No folder of images is known; name it with --img-dir.'
        return Gallery(notes=(*material.notes, *(data.notes or (note,))))
    ranked, ranked_by = _rank(material, data, choice, thresholds, known)
    groups = choose_groups(
        known,
        ranked,
        ids=choice.ids,
        best=choice.best,
        worst=choice.worst,
        random=choice.random,
        seed=choice.seed,
    )
    cards, absent = _draw(material, data, choice, groups, dict(ranked))
    notes = [*material.notes, *absent]
    if data.mask_dir is None:
        note = 'No folder of masks is known; name it with --masks.'
        notes += data.notes or [note]
        notes.append('Without masks there are no best and worst images.')
    return Gallery(tuple(cards), ranked_by, tuple(notes))


def _rank(
    material: Material,
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
    if material.labels:
        name, folder = next(iter(material.labels.items()))
        labelled = [i for i in known if (folder / f'{i}.png').is_file()]

        def read(image_id: str, _: tuple[int, int]) -> np.ndarray:
            return read_index_png(folder / f'{image_id}.png')

        ranked = rank_images(labelled, read, data.mask_dir)
        what = f'mIoU of the {name} of that image, 255 as an error'
        return ranked, what + among
    maps_of, name = _last_maps(material)
    threshold = thresholds.get(name, RANKING_THRESHOLD)

    def cut(image_id: str, size: tuple[int, int]) -> np.ndarray:
        return label_at(maps_of(image_id), size, threshold)

    ranked = rank_images(known, cut, data.mask_dir)
    what = (
        f'mIoU of the maps of that image ({name}, threshold {threshold:.2f})'
    )
    return ranked, what + among


def _last_maps(material: Material) -> tuple[Callable[[str], Maps], str]:
    """The maps of the latest stage: OAA+, OAA, or any other."""
    name = next(reversed(material.stores), '')
    last = material.last
    if last is None or last.accumulated is None or name.endswith('OAA+'):
        return partial(material.maps, name), name
    caption = f'OAA, epoch {last.epoch}'
    return (lambda i: last.maps_of(i).accumulated or {}), caption


def _draw(
    material: Material,
    data: DataFolders,
    choice: ImageChoice,
    groups: Mapping[str, Sequence[str]],
    scores: Mapping[str, float],
) -> tuple[list[ImageCard], list[str]]:
    """The cards, and a note on each image that could not be read."""
    evolution = {image_id: [] for image_id in groups}
    if material.work_dir is not None:
        epochs = evenly_spaced(material.epochs, choice.epochs)
        evolution = maps_over_epochs(material.work_dir, epochs, list(groups))
    folders = dict(material.labels)
    if data.mask_dir is not None:
        folders['mask'] = data.mask_dir
    cards, notes = [], []
    for image_id, why in progress(groups.items(), 'images'):
        try:
            card = draw_card(
                image_id,
                data.img_dir,
                groups=why,
                score=scores.get(image_id),
                stores={
                    n: material.maps(n, image_id) for n in material.stores
                },
                labels={n: f / f'{image_id}.png' for n, f in folders.items()},
                epochs=evolution[image_id],
                alpha=choice.alpha,
                tile_height=choice.tile_height,
            )
        except FileNotFoundError as error:
            notes.append(f'{image_id} is left out: {error}')
            continue
        cards.append(card)
    return cards, notes
