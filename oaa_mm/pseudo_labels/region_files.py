"""Files of regions: masks of any segmenter, or a partition of the image.

Two formats are read. Each line of Python writes one file, here from what
``SamAutomaticMaskGenerator(sam).generate(image)`` of Segment Anything gives::

    {image_id}.npz   np.savez_compressed(
                         path, masks=[m['segmentation'] for m in masks])
    {image_id}.json  json.dump(masks, open(path, 'w')), of a generator with
                     output_mode='coco_rle'

The array `masks` is (n, H, W), where everything but 0 is in the mask, or
(H, W) integers, where the pixels of one value are a region, as functions for
superpixels give it. The JSON is a list of dictionaries whose `segmentation`
holds COCO's run lengths, compressed or not; it may be the `annotations` of a
dictionary, as in SA-1B. Masks may overlap and leave pixels out.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from oaa_mm.io import find_by_id, read_text
from oaa_mm.io.run_lengths import decode_run_lengths


def find_regions(
    folder: str | os.PathLike | None, image_ids: Iterable[str]
) -> dict[str, str]:
    """Find the file of regions of each image.

    Args:
        folder (str | os.PathLike | None): It holds ``{image_id}.npz``, or
            where there is none of these ``{image_id}.json``. None: no image
            has regions.
        image_ids (Iterable[str]): The images.

    Returns:
        dict[str, str]: Image id -> path.

    Raises:
        FileNotFoundError: There is no such folder, or files are absent.
        ValueError: Two images may have the same file.
    """
    if folder is None:
        return {}
    suffix = '.npz' if any(Path(folder).rglob('*.npz')) else '.json'
    return find_by_id(
        folder,
        image_ids,
        suffix,
        kind='files of regions',
        remedy='Write one for every image, an empty list where there is no '
        'mask, or leave out --regions-dir to average in superpixels',
    )


def read_regions(path: str | os.PathLike, size: tuple[int, int]) -> np.ndarray:
    """Read the regions of an image.

    Args:
        path (str | os.PathLike): A file in one of the formats above.
        size (tuple[int, int]): Height and width of the image.

    Returns:
        np.ndarray: (n, H, W) bool masks, or an (H, W) partition of integers.

    Raises:
        ValueError: The file cannot be read, or does not fit the image.
    """
    try:
        regions = _read(Path(path), size)
        if not regions.size:
            return np.zeros((0, *size), bool)
        if regions.ndim not in (2, 3) or regions.dtype.kind not in 'bui':
            raise ValueError(f'`masks` is {regions.shape} {regions.dtype}')
    except (BadZipFile, EOFError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f'{path} holds no regions ({type(error).__name__}: {error}). An '
            '.npz should have the array `masks`, bool or integers, (n, H, W) '
            'or an (H, W) partition; a .json a list of masks in run lengths'
        ) from error
    if regions.shape[-2:] != size:
        height, width = regions.shape[-2:]
        raise ValueError(
            f'{path} has regions of {width}x{height} pixels, but the image '
            f'has {size[1]}x{size[0]}; compute them on the image as it is'
        )
    return regions if regions.ndim == 2 else regions.astype(bool, copy=False)


def _read(path: Path, size: tuple[int, int]) -> np.ndarray:
    if path.suffix.lower() == '.npz':
        with np.load(path) as file:
            return file['masks']
    content = json.loads(read_text(path))
    if isinstance(content, dict):
        content = content['annotations']
    return np.array(
        [decode_run_lengths(one['segmentation'], size) for one in content]
    )
