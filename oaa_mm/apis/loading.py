"""Finding a trained model, its weights and the names of its classes."""

from __future__ import annotations

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint
from torch import nn

from oaa_mm.checks import name_some
from oaa_mm.registry import DATASETS


def find_weights(
    model: str | os.PathLike | Config | dict | None,
    weights: str | os.PathLike | None,
) -> tuple[str | Config | dict | None, str]:
    """Turn what a user names into a config and a checkpoint.

    Args:
        model (str | os.PathLike | Config | dict | None): A config or its
            file; a work_dir, whose latest checkpoint is taken; or None.
        weights (str | os.PathLike | None): A checkpoint.

    Returns:
        tuple[str | Config | dict | None, str]: The config, None where that
        in the checkpoint is to be taken; and the checkpoint.

    Raises:
        FileNotFoundError: A file is absent, or the work_dir has no
            checkpoint.
        ValueError: There is a config without weights, or neither.
    """
    if isinstance(model, (str, os.PathLike)):
        model = os.fspath(model)
        if osp.isdir(model):
            weights = weights or _latest_checkpoint(model)
            model = None
        elif not osp.isfile(model):
            raise FileNotFoundError(f'no such config or work_dir: {model}')
    if weights is None:
        raise ValueError(
            'OAAInferencer needs trained weights: give '
            "weights='work_dirs/NAME/epoch_N.pth', or as the model a work_dir"
        )
    weights = os.fspath(weights)
    if '://' not in weights and not osp.isfile(weights):
        raise FileNotFoundError(f'no such checkpoint: {weights}')
    return model, weights


def _latest_checkpoint(work_dir: str) -> str:
    saved = find_latest_checkpoint(work_dir)
    if saved is not None:
        # The path in the file is of the time of training; folders move.
        for path in (saved, osp.join(work_dir, osp.basename(saved))):
            if osp.isfile(path):
                return path
    raise FileNotFoundError(
        f'{work_dir} has no checkpoint that a file `last_checkpoint` names; '
        "give weights='.../epoch_N.pth'"
    )


def load_state(model: nn.Module, checkpoint: Mapping[str, Any]) -> None:
    """Load weights that have to fit the model.

    Args:
        model (nn.Module): The model.
        checkpoint (Mapping[str, Any]): As mmengine's runner saved it.

    Raises:
        ValueError: Tensors are absent, too many or of another shape.
    """
    state = checkpoint.get('state_dict', checkpoint)
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:  # another shape
        raise ValueError(
            f'the checkpoint does not fit the model: {error}'
        ) from error
    for names, what in ((missing, 'lacks'), (unexpected, 'has, but not')):
        if names:
            raise ValueError(
                'the checkpoint does not fit the model of the config: it '
                f'{what} {len(names)} of its tensors: {name_some(names, 5)}'
            )


def find_class_names(
    checkpoint: Mapping[str, Any], cfg: Config, num_classes: int
) -> tuple[str, ...]:
    """Names of the classes: those of the training, else of the test data.

    Args:
        checkpoint (Mapping[str, Any]): As mmengine's runner saved it.
        cfg (Config): With `test_dataloader`.
        num_classes (int): The number C of classes.

    Returns:
        tuple[str, ...]: C names.

    Raises:
        ValueError: They are not known, or not as many.
    """
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    dataset = cfg.get('test_dataloader', {}).get('dataset', {})
    own = getattr(DATASETS.get(dataset.get('type', '')), 'METAINFO', {})
    names: Sequence[str] | None = next(
        (
            source['classes']
            for source in (meta, dataset.get('metainfo') or {}, own)
            if source.get('classes')
        ),
        None,
    )
    if names is None or len(names) != num_classes:
        raise ValueError(
            f'the model has {num_classes} classes, but the checkpoint and '
            f'test_dataloader name {names and len(names)}; give classes=(...)'
        )
    return tuple(names)
