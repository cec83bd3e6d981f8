"""From files to a comparison of attention stores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from oaa_mm.checks import check_choice, name_some
from oaa_mm.io import write_json

from .functional import IGNORE_POLICIES
from .scores import json_number
from .stores import open_store, read_image_ids
from .sweep import StoreResult, evaluate_store, recalls_at_first_precision


def compare_stores(
    stores: Sequence[str | os.PathLike],
    mask_dir: str | os.PathLike,
    image_list: str | os.PathLike,
    num_classes: int,
    *,
    ignore: str = 'drop',
    allow_missing: bool = False,
    workers: int = 1,
) -> list[StoreResult]:
    """Evaluate several attention stores on the same images.

    Args:
        stores (Sequence[str | os.PathLike]): Store files or folders of the
            authors' PNGs.
        mask_dir (str | os.PathLike): Folder of ``{image_id}.png`` masks.
        image_list (str | os.PathLike): A file with one image id per line.
        num_classes (int): The number of foreground classes.
        ignore (str): ``'drop'`` or ``'background'``: what becomes of pixels
            that the mask marks 255. Defaults to ``'drop'``.
        allow_missing (bool): See :func:`evaluate_store`.
        workers (int): Threads that read and resize. Defaults to 1.

    Returns:
        list[StoreResult]: One per store, in the order given.

    Raises:
        FileNotFoundError: A store, the list or a mask is absent.
        ValueError: A file does not fit; it is named.
    """
    check_choice('ignore', ignore, IGNORE_POLICIES)
    image_ids = read_image_ids(image_list)
    find_masks(mask_dir, image_ids)
    return [
        evaluate_store(
            open_store(path),
            image_ids,
            mask_dir,
            num_classes,
            name=name,
            ignore=ignore,
            allow_missing=allow_missing,
            workers=workers,
        )
        for path, name in zip(stores, store_names(stores), strict=True)
    ]


def find_masks(
    mask_dir: str | os.PathLike, image_ids: Sequence[str]
) -> list[Path]:
    """The mask files of images, before any long work begins.

    Args:
        mask_dir (str | os.PathLike): Folder of ``{image_id}.png``.
        image_ids (Sequence[str]): The images.

    Returns:
        list[Path]: One file per image.

    Raises:
        FileNotFoundError: The folder or some masks are absent.
    """
    folder = Path(mask_dir)
    if not folder.is_dir():
        raise FileNotFoundError(f'no such folder of masks: {folder}')
    paths = [folder / f'{image_id}.png' for image_id in image_ids]
    absent = [str(path) for path in paths if not path.is_file()]
    if absent:
        raise FileNotFoundError(
            f'{len(absent)} of {len(paths)} masks are absent: '
            f'{name_some(absent)}'
        )
    return paths


def store_names(stores: Sequence[str | os.PathLike]) -> list[str]:
    """Short names that tell stores apart.

    Args:
        stores (Sequence[str | os.PathLike]): Files or folders.

    Returns:
        list[str]: Their stems, led by as many folders as it takes to be
        distinct.

    Raises:
        ValueError: A store is given twice.
    """
    paths = [Path(store) for store in stores]
    paths = [p if p.is_dir() else p.with_suffix('') for p in paths]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ['/'.join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise ValueError(
        'the same store is given twice: ' + ', '.join(map(str, stores))
    )


def save_results(
    path: str | os.PathLike,
    results: Sequence[StoreResult],
    class_names: Sequence[str],
    *,
    ignore: str,
) -> None:
    """Write all scores as JSON; what is undefined (0 / 0) is null.

    Args:
        path (str | os.PathLike): The file to write.
        results (Sequence[StoreResult]): The stores, the reference first.
        class_names (Sequence[str]): Names of the C foreground classes.
        ignore (str): The policy for mask value 255 that was used.
    """
    recalls = recalls_at_first_precision(results)
    stores = []
    for result, recall in zip(results, recalls, strict=True):
        scores = result.to_dict(class_names)
        stores.append(
            {**scores, 'recall_at_first_precision': json_number(recall)}
        )
    content = {
        'classes': list(class_names),
        'ignore': ignore,
        'stores': stores,
    }
    write_json(path, content)
