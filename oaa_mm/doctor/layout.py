"""A data set described by folders, as on a command line."""

import os
from pathlib import Path

from .split import Split

#: Files that must be complete in a set for weakly supervised training and one
#: for validation.
NEEDS = {
    'train': frozenset({'labels', 'saliency'}),
    'val': frozenset({'masks'}),
}

#: VOC's folder, looked for where no other is named.
SALIENCY_DIR = 'SaliencyMaps'


def _under(root: Path, name: str) -> Path:
    """`name` under the root; as typed, where only that exists."""
    inside, typed = root / name, Path(name)
    return typed if typed.exists() and not inside.exists() else inside


def find_folder(root: Path, name: str | None, usual: str) -> Path | None:
    """A folder that is named, or the usual one if it is there.

    Args:
        root (Path): Root of the data set.
        name (str, optional): A folder under the root, or any path.
        usual (str): Name of the folder under the root where none is named.

    Returns:
        Path | None: The folder; None where there is no usual one.

    Raises:
        FileNotFoundError: `name` is not a folder.
    """
    folder = root / usual if name is None else _under(root, name)
    if folder.is_dir():
        return folder
    if name is not None:
        raise FileNotFoundError(f'there is no folder {folder}')
    return None


def splits_from_folders(
    data_root: str | os.PathLike,
    train_list: str | None = None,
    val_list: str | None = None,
    *,
    labels: str | None = None,
    img_dir: str = 'JPEGImages',
    mask_dir: str | None = None,
    saliency_dir: str | None = None,
    **forms: str,
) -> list[Split]:
    """Describe a data set in the layout of VOC.

    Lists, labels and folders are looked for under `data_root` first, then as
    they are typed.

    Args:
        data_root (str | os.PathLike): Root of the data set.
        train_list (str, optional): List of the training images.
        val_list (str, optional): List of the validation images.
        labels (str, optional): Image-level labels. Defaults to the words
            after the names in the lists.
        img_dir (str): Defaults to ``'JPEGImages'``.
        mask_dir (str, optional): Defaults to ``SegmentationClassAug``, if it
            is there.
        saliency_dir (str, optional): Defaults to ``SaliencyMaps``, if it is
            there.
        **forms (str): `labels_format`, `img_suffix` and `mask_suffix` of
            :class:`Split`.

    Returns:
        list[Split]: One per list.

    Raises:
        FileNotFoundError: `data_root` or a named folder does not exist.
        ValueError: No list is given.
    """
    root = Path(data_root)
    if not root.is_dir():
        raise FileNotFoundError(f'data root {root} is not a folder')
    lists = {'train': train_list, 'val': val_list}
    if not any(lists.values()):
        raise ValueError(
            'there is nothing to check; give --train-list, --val-list or both'
        )
    saliency = find_folder(root, saliency_dir, SALIENCY_DIR)
    return [
        Split(
            name,
            _under(root, list_file),
            _under(root, img_dir),
            needs=NEEDS[name],
            mask_dir=find_folder(root, mask_dir, 'SegmentationClassAug'),
            saliency_dir=saliency if name == 'train' else None,
            labels=None if labels is None else _under(root, labels),
            **forms,
        )
        for name, list_file in lists.items()
        if list_file
    ]
