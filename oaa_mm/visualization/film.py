"""Frames of pictures as an animated GIF or an MP4."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from oaa_mm.checks import check_choice, check_number
from oaa_mm.io import atomic_write

#: The last frame stays longer, so that the result can be seen.
LAST_FRAME_TIMES = 3
FILM_SUFFIXES = ('.gif', '.mp4')
#: The shortest time of a frame, in seconds.
SHORTEST = 0.02


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


def film_paths(
    out: str | os.PathLike, image_ids: Sequence[str]
) -> dict[str, Path]:
    """The files that a user means, before the work begins.

    Args:
        out (str | os.PathLike): A folder for ``{image_id}.gif``; for a single
            image also a file, ``*.gif`` or ``*.mp4``.
        image_ids (Sequence[str]): The images.

    Returns:
        dict[str, Path]: Image -> file.

    Raises:
        ValueError: A file is named for several images.
    """
    out = Path(out)
    if out.suffix.lower() not in FILM_SUFFIXES:
        return {i: out / f'{i}.gif' for i in image_ids}
    if len(image_ids) == 1:
        return {image_ids[0]: out}
    raise ValueError(
        f'{out} is one file, but there are {len(image_ids)} images; name a '
        'folder, which gets a .gif of each'
    )


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
