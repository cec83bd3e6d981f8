"""The names of a training's stores in its work_dir."""

import os
import re
from pathlib import Path

#: M after an epoch; M at a checkpoint within an epoch; A of an epoch alone.
ACCUMULATED, WITHIN_EPOCH = 'attention_epoch', 'attention_iter'
CURRENT = 'epoch_maps'
_NAME = re.compile(rf'({ACCUMULATED}|{WITHIN_EPOCH}|{CURRENT})_(\d+)')


def store_name(kind: str, number: int) -> str:
    """Name the file of a store.

    Args:
        kind (str): :data:`ACCUMULATED`, :data:`WITHIN_EPOCH` or
            :data:`CURRENT`.
        number (int): The epoch or iteration, counted from 1.

    Returns:
        str: The name of the file.
    """
    return f'{kind}_{number}.safetensors'


def parse_store_name(path: str | os.PathLike) -> tuple[str, int] | None:
    """Tell which epoch a store is of.

    Args:
        path (str | os.PathLike): The store's file, or its stem.

    Returns:
        tuple[str, int] | None: The kind and the number, as
        :func:`store_name` takes them; None of other stores.
    """
    name = _NAME.fullmatch(Path(path).stem)
    return None if name is None else (name[1], int(name[2]))


def final_store(path: str | os.PathLike) -> Path:
    """Find the store that a path stands for.

    Args:
        path (str | os.PathLike): A store, or the folder of a run.

    Returns:
        Path: The accumulated maps after the last epoch of a run; any other
        path as it is, such as a store or a folder of PNG files.
    """
    stores = {
        name[1]: file
        for file in Path(path).glob('*.safetensors')
        if (name := parse_store_name(file)) and name[0] == ACCUMULATED
    }
    return stores[max(stores)] if stores else Path(path)
