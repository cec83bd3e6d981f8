"""From images and their maps to files of pictures and films."""

import os
import random
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from oaa_mm.checks import check_choice, check_number
from oaa_mm.io import atomic_write, read_image, read_mask, write_image
from oaa_mm.io.progress import progress

from .layouts import Rows
from .tiles import ImageTiles

#: (image id, tiles of its image, its mask) -> the rows of each frame.
Layout = Callable[[str, ImageTiles, np.ndarray | None], list[Rows]]

#: The last frame stays longer, so that the result can be seen.
LAST_FRAME_TIMES = 3
FILM_SUFFIXES = ('.gif', '.mp4')
#: The shortest time of a frame, in seconds.
SHORTEST = 0.02


def choose_ids(
    known: Iterable[str],
    *,
    ids: Sequence[str] | None = None,
    number: int | None = None,
    seed: int = 0,
    preferred: Iterable[str] = (),
) -> list[str]:
    """The images to draw: those named, or some at random.

    Args:
        known (Iterable[str]): Ids of the images that have maps.
        ids (Sequence[str] | None): The images by name.
        number (int | None): How many to choose at random where `ids` is None.
        seed (int): Seed of the random choice. Defaults to 0.
        preferred (Iterable[str]): Known images of which the random ones are
            chosen; others only where these are too few. Defaults to none.

    Returns:
        list[str]: Image ids.

    Raises:
        ValueError: No image is known, one that is named is unknown, or
            `number` is not positive.
    """
    known = sorted(known)
    if not known:
        raise ValueError(
            'there is no attention map to draw; choose other epochs or stores'
        )
    if ids is not None:
        unknown = sorted(set(ids) - set(known))
        if unknown:
            raise ValueError(
                f'no attention maps of {", ".join(unknown)} among the '
                f'{len(known)} images of the stores, such as '
                f'{", ".join(known[:3])}'
            )
        return list(dict.fromkeys(ids))
    check_number('the number of random images', number, low=1, integer=True)
    choice, first = random.Random(seed), sorted(preferred)
    chosen = choice.sample(first, min(number, len(first)))
    others = sorted({*known} - {*first})
    rest = min(number - len(chosen), len(others))
    return sorted(chosen + choice.sample(others, rest))


def draw_pictures(
    paths: Mapping[str, str | os.PathLike],
    layout: Layout,
    *,
    images: Mapping[str, str | os.PathLike],
    class_names: Sequence[str],
    masks: Mapping[str, str | os.PathLike] | None = None,
    binary_masks: bool = False,
    seconds: float = 0.5,
    **tile_options: float,
) -> None:
    """Draw images as strips, films or comparisons.

    Args:
        paths (Mapping[str, str | os.PathLike]): Image id -> the file to
            write, ``*.png``, ``*.gif`` or ``*.mp4``.
        layout (Layout): Gives the rows of each frame, from an image id, the
            tiles of its image, and its mask; see
            :mod:`oaa_mm.visualization.layouts`.
        images (Mapping[str, str | os.PathLike]): Image id -> file.
        class_names (Sequence[str]): Names of the foreground classes.
        masks (Mapping[str, str | os.PathLike] | None): Image id -> mask,
            of images that have one. Defaults to None: none has.
        binary_masks (bool): Whether 255 marks the only class in them.
            Defaults to False.
        seconds (float): How long a film shows each frame. Defaults to 0.5.
        **tile_options (float): `alpha` and `height` of
            :class:`~oaa_mm.visualization.ImageTiles`.

    Raises:
        KeyError: An image is not among `images`.
        ValueError: An image, a mask or a class does not fit; it is named.
    """
    for image_id, path in progress(paths.items(), 'pictures'):
        path_of_mask = (masks or {}).get(image_id)
        mask = path_of_mask and read_mask(path_of_mask, binary=binary_masks)
        source = images[image_id]
        try:
            image = read_image(source)
            tiles = ImageTiles(image, class_names, **tile_options)
            frames = layout(image_id, tiles, mask)
            pictures = [tiles.draw(rows, image_id) for rows in frames]
        except ValueError as error:
            raise ValueError(f'{source}: {error}') from error
        if Path(path).suffix.lower() in FILM_SUFFIXES:
            write_film(path, pictures, seconds=seconds)
        else:
            write_image(path, pictures[0])


def picture_paths(
    out: str | os.PathLike, image_ids: Sequence[str], suffixes: Sequence[str]
) -> dict[str, Path]:
    """The files that a user means, before the work begins.

    Args:
        out (str | os.PathLike): A folder for a file of each image; for a
            single image also its file.
        image_ids (Sequence[str]): The images.
        suffixes (Sequence[str]): Those that the files may have, the usual one
            first, such as :data:`FILM_SUFFIXES`.

    Returns:
        dict[str, Path]: Image -> file.

    Raises:
        ValueError: A file is named for several images, or one of another
            suffix.
    """
    out = Path(out)
    suffix = out.suffix.lower()
    if (guess_type(out.name)[0] or '').startswith(('video/', 'image/')):
        check_choice(f'{out}: the suffix of a file', suffix, suffixes)
    if suffix not in suffixes:
        return {i: out / f'{i}{suffixes[0]}' for i in image_ids}
    if len(image_ids) == 1:
        return {image_ids[0]: out}
    raise ValueError(
        f'{out} is one file, but there are {len(image_ids)} images; name a '
        f'folder, which gets a {suffixes[0]} of each'
    )


def write_film(
    path: str | os.PathLike,
    frames: Sequence[np.ndarray],
    *,
    seconds: float = 0.5,
) -> None:
    """Write frames as an animated GIF, or as MP4, atomically.

    Args:
        path (str | os.PathLike): ``*.gif`` or ``*.mp4``.
        frames (Sequence[np.ndarray]): (H, W, 3) uint8 RGB, of one size. MP4
            needs even sizes: an odd row or column is left out.
        seconds (float): How long each frame stays; the last one three times
            as long. Defaults to 0.5.

    Raises:
        ValueError: The suffix is another one, `seconds` is too short, or no
            encoder for MP4 is there.
    """
    suffix = Path(path).suffix.lower()
    check_choice(f'{path}: the suffix of a film', suffix, FILM_SUFFIXES)
    # Viewers slow down what is faster.
    check_number('seconds of a frame', seconds, low=SHORTEST)
    write = _write_gif if suffix == '.gif' else _write_mp4
    write(path, frames, seconds)


def _write_gif(
    path: str | os.PathLike, frames: Sequence[np.ndarray], seconds: float
) -> None:
    # One palette for all frames: with several, the colours would flicker.
    together = Image.fromarray(np.concatenate(frames))
    palette = together.quantize(256, dither=Image.Dither.NONE)
    first, *others = [
        Image.fromarray(frame).quantize(
            palette=palette, dither=Image.Dither.FLOYDSTEINBERG
        )
        for frame in frames
    ]
    durations = [round(1000 * seconds)] * len(frames)
    durations[-1] *= LAST_FRAME_TIMES
    with atomic_write(path) as file:
        first.save(
            file,
            format='GIF',
            save_all=True,
            append_images=others,
            duration=durations,
            loop=0,
        )


def _write_mp4(
    path: str | os.PathLike, frames: Sequence[np.ndarray], seconds: float
) -> None:
    height, width = (side // 2 * 2 for side in frames[0].shape[:2])
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / 'film.mp4'
        writer = cv2.VideoWriter(
            str(film),
            cv2.VideoWriter_fourcc(*'mp4v'),
            1 / seconds,
            (width, height),
        )
        if not writer.isOpened():
            raise ValueError(
                f'{path}: this build of OpenCV has no encoder for MP4; write '
                'a .gif'
            )
        shown = [*frames, *[frames[-1]] * (LAST_FRAME_TIMES - 1)]
        for frame in shown:
            even = np.ascontiguousarray(frame[:height, :width, ::-1])
            writer.write(even)
        writer.release()
        with atomic_write(path) as file:
            file.write(film.read_bytes())
