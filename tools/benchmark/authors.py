"""Accumulation as the authors' scripts do it, for comparison.

In every step, for every labelled class of the image, a PNG is read, the
maximum taken and the PNG written again. Written from the description of the
method, to measure the design; nothing in the package uses it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from oaa_mm.attention import AttentionAccumulator

from .timing import timed_in_turn


def pair_cost(
    *,
    images: int = 1000,
    size: tuple[int, int] = (28, 37),
    batch_size: int = 5,
    repeats: int = 5,
) -> dict[str, float]:
    """Seconds that accumulation takes for one (image, class) pair.

    Args:
        images (int): Images an epoch, with two labelled classes each.
            Defaults to 1000.
        size (tuple[int, int]): Cells of a map. Defaults to (28, 37).
        batch_size (int): Batch size of our accumulation. Defaults to 5.
        repeats (int): Epochs that count. Defaults to 5.

    Returns:
        dict[str, float]: Of a PNG a pair and step; of ours, with the fusion
        and the saving at the epoch's end; and their ratio.
    """
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(images, 20, *size, generator=generator)
    labels = torch.zeros(images, 20)
    labels[:, :2] = 1
    # The forward has computed them; all pairs are accepted.
    logits = scores.mean((2, 3)) + labels
    names = [f'im{number}' for number in range(images)]
    accumulator = AttentionAccumulator(start_epoch=0)
    with tempfile.TemporaryDirectory() as folder:

        def by_png() -> None:
            for name, maps in zip(names, scores, strict=True):
                for index in range(2):
                    fuse_png(Path(folder), name, index, maps[index])

        def batched() -> None:
            for start in range(0, images, batch_size):
                rows = slice(start, start + batch_size)
                accumulator.update(
                    names[rows],
                    scores[rows],
                    labels[rows],
                    logits=logits[rows],
                )
            accumulator.finish_epoch(1)
            accumulator.save(Path(folder) / 'store.safetensors')

        seconds = timed_in_turn(
            {'PNG a pair': by_png, 'ours': batched}, repeats=repeats
        )
    result = {name: value / (2 * images) for name, value in seconds.items()}
    return {**result, 'ratio': seconds['PNG a pair'] / seconds['ours']}


def fuse_png(
    folder: Path, image_id: str, class_index: int, scores: torch.Tensor
) -> None:
    """Read, maximum, write.

    Args:
        folder (Path): Folder of the PNGs.
        image_id (str): The image.
        class_index (int): The class.
        scores (torch.Tensor): (h, w) score map.
    """
    attention = scores.relu().numpy()
    attention = attention / (attention.max() + 1e-8) * 255
    path = folder / f'{image_id}_{class_index}.png'
    if path.is_file():
        attention = np.maximum(cv2.imread(str(path), 0), attention)
    cv2.imwrite(str(path), attention.astype(np.uint8))
