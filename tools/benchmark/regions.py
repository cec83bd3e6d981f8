"""Cost of contrast and of averaging scores in regions, an image."""

from __future__ import annotations

import json
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
from toy.coco import run_lengths

from oaa_mm.pseudo_labels import build_refine

from .timing import timed_in_turn

#: Height and width of the image: VOC's most frequent size.
SIZE = (375, 500)


def region_cost(
    *, repeats: int = 5, masks: int = 100
) -> dict[str, dict[str, float]]:
    """Time and memory of an image with two classes, file included.

    Args:
        repeats (int): Rounds that count. Defaults to 5.
        masks (int): Masks in a file, about as many as Segment Anything finds
            in a photograph. Defaults to 100.

    Returns:
        dict[str, dict[str, float]]: Contrast, superpixels, .npz, .json ->
        milliseconds, and the peak of the memory that it takes in MB.
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    grid = (y // 45) * 100 + x // 45  # patches of one colour, with noise
    image = rng.integers(0, 256, (1300, 3))[grid]
    image = (image + rng.normal(0, 8, image.shape)).clip(0, 255)
    image = image.astype(np.uint8)
    scores = rng.random((3, *SIZE), np.float32)
    with tempfile.TemporaryDirectory() as name:
        arrays, runs = Path(name, 'a.npz'), Path(name, 'a.json')
        discs = [
            (y - row) ** 2 + (x - column) ** 2 < radius**2
            for row, column, radius in zip(
                rng.uniform(0, SIZE[0], masks),
                rng.uniform(0, SIZE[1], masks),
                rng.uniform(5, 120, masks),
                strict=True,
            )
        ]
        np.savez_compressed(arrays, masks=discs)
        runs.write_text(
            json.dumps([{'segmentation': run_lengths(disc)} for disc in discs])
        )
        refinements = {
            'contrast': build_refine('contrast'),
            'superpixels': build_refine('regions'),
            f'{masks} masks, .npz': build_refine('regions', regions=arrays),
            f'{masks} masks, .json': build_refine('regions', regions=runs),
        }
        ways = {
            name: lambda refine=refine: refine(image, scores)
            for name, refine in refinements.items()
        }
        seconds = timed_in_turn(ways, repeats=repeats)
        peaks = {}
        for name, way in ways.items():
            tracemalloc.start()
            way()
            peaks[name] = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
    return {
        name: {'ms an image': 1000 * seconds[name], 'peak MB': peaks[name]}
        for name in ways
    }
