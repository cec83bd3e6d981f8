"""How attention grew over the epochs, as a film of each image."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from oaa_mm.checks import check_number
from oaa_mm.io import atomic_write
from oaa_mm.io.palette import read_index_png
from oaa_mm.io.progress import progress

from .draw import find_image, read_image
from .grid import Tile, compose_rows, empty_tile, header, resize_to_height
from .layouts import EpochMaps, legend_of
from .overlay import overlay_attention, overlay_mask

#: The last frame stays longer, that the result can be seen.
LAST_FRAME_TIMES = 3
SUFFIXES = ('.gif', '.mp4')
#: Seconds of a frame.
SHORTEST = 0.02


def evolution_frames(
    image: np.ndarray,
    epochs: Sequence[EpochMaps],
    *,
    title: str,
    class_names: Sequence[str],
    mask: np.ndarray | None = None,
    alpha: float = 0.6,
    tile_height: int = 200,
    unit: str = 'epoch',
) -> list[np.ndarray]:
    """Draw one frame for each epoch: image, A if any epoch has it, M, mask.

    Args:
        image (np.ndarray): (H, W, 3) uint8 RGB.
        epochs (Sequence[EpochMaps]): At least one.
        title (str): For example the image id.
        class_names (Sequence[str]): Names of the foreground classes.
        mask (np.ndarray | None): (H, W) uint8 mask, if there is one.
        alpha (float): Weight of the colours over the image, 0..1. Defaults
            to 0.6.
        tile_height (int): Height of each picture in pixels. Defaults to 200.
        unit (str): What the captions count. Defaults to ``'epoch'``.

    Returns:
        list[np.ndarray]: (H', W', 3) uint8 RGB each, all of one size.

    Raises:
        ValueError: A class has no name, or the mask has not the image's size.
    """
    top = header(title, legend_of(epochs, mask, class_names))
    with_current = any(epoch.current is not None for epoch in epochs)
    still = Tile(resize_to_height(image, tile_height), 'image')
    masks = []
    if mask is not None:
        picture = overlay_mask(image, mask, alpha=alpha)
        masks = [Tile(resize_to_height(picture, tile_height), 'mask')]

    def tile(maps: Mapping | None, caption: str, reason: str) -> Tile:
        if not maps:
            height, width = still.picture.shape[:2]
            why = reason if maps is None else 'no map'
            return empty_tile(height, width, caption, why)
        picture = overlay_attention(image, maps, alpha=alpha)
        return Tile(resize_to_height(picture, tile_height), caption)

    frames = []
    for epoch in epochs:
        row = [still]
        if with_current:
            caption = f'A, {unit} {epoch.epoch}'
            row.append(tile(epoch.current, caption, 'not stored'))
        caption = f'M, {unit} {epoch.epoch}'
        row.append(tile(epoch.accumulated, caption, epoch.reason))
        frames.append(compose_rows([[*row, *masks]], top=top))
    return frames


def write_animation(
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
    _check(path, seconds)
    if Path(path).suffix.lower() == '.gif':
        _write_gif(path, frames, seconds)
    else:
        _write_mp4(path, frames, seconds)


def animation_paths(
    out: str | os.PathLike, image_ids: Sequence[str], seconds: float
) -> dict[str, Path]:
    """The files that a user means, before the work begins.

    Args:
        out (str | os.PathLike): A folder for ``{image_id}.gif``; for a single
            image also a file, ``*.gif`` or ``*.mp4``.
        image_ids (Sequence[str]): The images.
        seconds (float): How long each frame is to stay.

    Returns:
        dict[str, Path]: Image -> file.

    Raises:
        ValueError: A file is named for several images, or ``seconds`` is too
            short.
    """
    out = Path(out)
    if out.suffix.lower() not in SUFFIXES:
        paths = {i: out / f'{i}.gif' for i in image_ids}
    elif len(image_ids) == 1:
        paths = {image_ids[0]: out}
    else:
        raise ValueError(
            f'{out} is one file, but there are {len(image_ids)} images; name '
            'a folder, which gets a .gif of each'
        )
    for path in paths.values():
        _check(path, seconds)
    return paths


def _check(path: str | os.PathLike, seconds: float) -> None:
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ValueError(
            f'{path}: animations are written as .gif or .mp4 files'
        )
    # Viewers slow down what is faster.
    check_number('seconds of a frame', seconds, low=SHORTEST)


def _write_gif(
    path: str | os.PathLike, frames: Sequence[np.ndarray], seconds: float
) -> None:
    pictures = [Image.fromarray(frame) for frame in frames]
    # One palette of all frames: colours of their own would flicker.
    together = Image.fromarray(np.concatenate(frames))
    palette = together.quantize(256, dither=Image.Dither.NONE)
    first, *others = [
        picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
        for picture in pictures
    ]
    durations = [round(1000 * seconds)] * len(frames)
    durations[-1] *= LAST_FRAME_TIMES
    buffer = io.BytesIO()
    first.save(
        buffer,
        format='GIF',
        save_all=True,
        append_images=others,
        duration=durations,
        loop=0,
    )
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


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


def draw_animations(
    maps: Mapping[str, Sequence[EpochMaps]],
    paths: Mapping[str, str | os.PathLike],
    *,
    img_dir: str | os.PathLike,
    class_names: Sequence[str],
    mask_dir: str | os.PathLike | None = None,
    seconds: float = 0.5,
    alpha: float = 0.6,
    tile_height: int = 200,
) -> None:
    """Write the animation of each image.

    Args:
        maps (Mapping[str, Sequence[EpochMaps]]): Image -> its maps, from
            :func:`~oaa_mm.visualization.epochs.maps_over_epochs`.
        paths (Mapping[str, str | os.PathLike]): Image -> the file to write.
        img_dir (str | os.PathLike): Folder of the images.
        class_names (Sequence[str]): Names of the foreground classes.
        mask_dir (str | os.PathLike | None): Folder of masks, if there is one.
        seconds (float): See :func:`write_animation`.
        alpha (float): See :func:`evolution_frames`.
        tile_height (int): See :func:`evolution_frames`.

    Raises:
        FileNotFoundError: An image or mask is absent.
        ValueError: An image, a mask or a class does not fit; it is named.
    """
    for image_id in progress(maps, 'animations'):
        source = find_image(img_dir, image_id)
        mask = None
        if mask_dir is not None:
            mask = read_index_png(Path(mask_dir) / f'{image_id}.png')
        try:
            frames = evolution_frames(
                read_image(source),
                maps[image_id],
                title=image_id,
                class_names=class_names,
                mask=mask,
                alpha=alpha,
                tile_height=tile_height,
            )
        except ValueError as error:
            raise ValueError(f'{source}: {error}') from error
        write_animation(paths[image_id], frames, seconds=seconds)
