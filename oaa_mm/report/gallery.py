"""The images of a report: their maps, labels and masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oaa_mm.io import find_by_id, read_image, read_mask
from oaa_mm.io.progress import progress
from oaa_mm.visualization import ImageTiles, Tile, comparison_rows
from oaa_mm.visualization.epochs import evenly_spaced

from .ranking import choose_groups, rank_images
from .run import ReportOptions, Run
from .scores import Score

#: The first screen shows so many images, and the maps of so many epochs.
NUM_FIRST, NUM_STEPS = 3, 4


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
        epochs (Sequence[tuple[Tile, Tile]]): Maps of each epoch of the run
            alone, and those accumulated after it.
        strip (Sequence[Tile]): What the first screen shows of it: the image,
            its maps through the epochs, a label, and its mask.
    """

    image_id: str
    groups: Sequence[str]
    score: float | None
    classes: Sequence[int]
    image: Tile
    stages: Sequence[Tile]
    epochs: Sequence[tuple[Tile, Tile]]
    strip: Sequence[Tile]


def draw_gallery(
    run: Run, scores: Sequence[Score], options: ReportOptions
) -> tuple[list[ImageCard], str, list[str]]:
    """Choose and draw images.

    Args:
        run (Run): Maps, labels, images and masks.
        scores (Sequence[Score]): Scores of stores, which know the best
            threshold of each.
        options (ReportOptions): Which images, and how.

    Returns:
        tuple[list[ImageCard], str, list[str]]: The images, none where there
        is nothing to draw; by what they were ranked, empty without a ranking;
        and what could not be shown, and why.

    Raises:
        ValueError: An image that the user names is unknown, or a file is
            damaged.
    """
    notes, known = [], run.image_ids()
    if not known:
        notes = ['There are neither maps nor pseudo-labels to draw.']
    elif run.img_dir is None and not run.data.images:
        notes = ['No folder of images is known; name it with --img-dir.']
    if notes:
        return [], '', notes
    ranked, ranked_by = rank_images(run, known, scores, options)
    groups = choose_groups(run, known, ranked, options)
    labels = {
        name: find_by_id(folder, groups, kind=name, allow_missing=True)
        for name, folder in run.labels.items()
    }
    if masks := run.find_masks(groups):
        labels['mask'] = masks
    else:
        notes.append(
            'No folder of masks is known; name it with --masks. Without masks '
            'there are no best and worst images.'
        )
    cards = []
    for image_id, why in progress(groups.items(), 'images'):
        try:
            files = run.data.find_images([image_id], run.img_dir)
        except FileNotFoundError as error:
            notes.append(f'{image_id} is left out: {error}')
            continue
        image = read_image(files[image_id])
        tiles = ImageTiles(image, height=options.tile_height)
        try:
            pictures = _draw(image_id, tiles, run, labels)
        except ValueError as error:
            raise ValueError(f'{image_id}: {error}') from error
        classes = sorted(tiles.classes)
        score = dict(ranked).get(image_id)
        cards.append(ImageCard(image_id, why, score, classes, *pictures))
    return cards, ranked_by, notes


def _draw(
    image_id: str,
    tiles: ImageTiles,
    run: Run,
    labels: Mapping[str, Mapping[str, str]],
) -> tuple[Tile, list[Tile], list[tuple[Tile, Tile]], list[Tile]]:
    """The image, its stages, its epochs, and its strip."""
    maps = {name: s.maps_of(image_id) for name, s in run.stores.items()}
    masks = {
        name: (path := files.get(image_id))
        and read_mask(path, binary=name == 'mask' and run.data.binary_masks)
        for name, files in labels.items()
    }
    ((image, *stages),) = comparison_rows(tiles, maps, masks)
    epochs = [
        tiles.epoch(stores.maps_of(image_id), ('attention', 'OAA'))
        for stores in run.epochs
    ]
    shown = evenly_spaced(epochs, NUM_STEPS)
    single = [current for current, _ in shown]
    steps = [accumulated for _, accumulated in shown]
    if any(tile.picture is not None for tile in single):
        steps = [*single, *steps[-1:]]
    of_maps, of_labels = stages[: len(maps)], stages[len(maps) :]
    ends = [*of_labels[:1], *of_labels[1:][-1:]]
    return image, stages, epochs, [image, *(steps or of_maps), *ends]
