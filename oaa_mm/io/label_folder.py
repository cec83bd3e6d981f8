"""The layout of a folder of pseudo-labels.

::

    OUT/labels/{image_id}.png  palette PNGs: 0 background, c + 1, 255 ignored
    OUT/train.txt              the list of images, written when all are done
    OUT/summary.json           shares of the labels, images that were dropped
    OUT/manifest.json          parameters and inputs that made all this
"""

import os
from pathlib import Path

LABELS = 'labels'
LIST = 'train.txt'
SUMMARY = 'summary.json'
MANIFEST = 'manifest.json'


def label_dir(folder: str | os.PathLike) -> Path:
    """The folder of ``{image_id}.png`` that a user means by a folder.

    Args:
        folder (str | os.PathLike): It, or an output of make_pseudo_labels,
            which holds it in ``labels/``.

    Returns:
        Path: The folder with the PNGs.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'no such folder of labels: {folder}')
    inner = folder / LABELS
    return inner if inner.is_dir() else folder


def label_file(folder: str | os.PathLike, image_id: str) -> Path:
    """The file of a label in a folder that is made.

    Args:
        folder (str | os.PathLike): The output of make_pseudo_labels.
        image_id (str): Id of the image.

    Returns:
        Path: ``{folder}/labels/{image_id}.png``.
    """
    return Path(folder, LABELS, f'{image_id}.png')


def is_label_folder(folder: str | os.PathLike) -> bool:
    """Whether make_pseudo_labels has written to a folder.

    Args:
        folder (str | os.PathLike): Any folder.

    Returns:
        bool: Whether it holds labels and their manifest.
    """
    folder = Path(folder)
    return (folder / LABELS).is_dir() and (folder / MANIFEST).is_file()
