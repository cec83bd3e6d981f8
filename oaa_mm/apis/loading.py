"""Finding a trained model, its weights, its classes and its pipeline."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.model import revert_sync_batchnorm
from mmengine.runner import find_latest_checkpoint
from torch import nn

from oaa_mm.models.attention_model import AttentionModel
from oaa_mm.registry import DATASETS, class_of
from oaa_mm.runs.checkpoints import newest_usable_checkpoint
from oaa_mm.runs.precision import amp_dtype

from .inputs import ImageInput


def find_weights(
    model: str | os.PathLike | Config | dict | None,
    weights: str | os.PathLike | None,
) -> tuple[str | Config | dict | None, str]:
    """Find the config and the checkpoint that a user means.

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
        if os.path.isdir(model):
            weights, model = weights or _newest_checkpoint(model), None
        elif not os.path.isfile(model):
            raise FileNotFoundError(f'no such config or work_dir: {model}')
    if weights is None:
        raise ValueError(
            'OAAInferencer needs trained weights: give '
            "weights='work_dirs/NAME/epoch_N.pth', or as the model a work_dir"
        )
    weights = os.fspath(weights)
    if '://' not in weights and not os.path.isfile(weights):
        raise FileNotFoundError(f'no such checkpoint: {weights}')
    return model, weights


def _newest_checkpoint(work_dir: str) -> str:
    # The folder in the file `last_checkpoint` is that of the training, which
    # may have been moved since; it counts where checkpoints lie elsewhere.
    written = os.path.dirname(find_latest_checkpoint(work_dir) or work_dir)
    for folder in (work_dir, written):
        path, _ = newest_usable_checkpoint([folder])
        if path is not None:
            return str(path)
    raise FileNotFoundError(
        f'{work_dir} has no checkpoint that can be read; give '
        "weights='.../epoch_N.pth'"
    )


def load_weights(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    cfg: Config,
    classes: Sequence[str] | None,
) -> tuple[str, ...]:
    """Load weights that have to fit the model, and find its classes.

    Args:
        model (nn.Module): The model.
        checkpoint (Mapping[str, Any]): As mmengine's runner saved it.
        cfg (Config): The config of the model and of its data.
        classes (Sequence[str] | None): Names of the classes; None takes
            those of the training, else of the test data.

    Returns:
        tuple[str, ...]: Names of the classes of the model.

    Raises:
        ValueError: It is no model of attention; tensors are absent, too many
            or of another shape; or classes are not known, or not as many.
    """
    if not isinstance(model, AttentionModel):
        raise ValueError(
            'OAAInferencer runs CAMClassifier and IntegralAttentionModel, '
            f'but the config has a {type(model).__name__}; segmentation '
            'networks run in mmseg.apis.MMSegInferencer'
        )
    state = checkpoint.get('state_dict', checkpoint)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f'the checkpoint does not fit the model of the config: {error}'
        ) from error
    names = classes or _class_names(checkpoint, cfg)
    if len(names or ()) != model.num_classes:
        raise ValueError(
            f'the model has {model.num_classes} classes, but '
            f'{len(names) if names else "none"} are named by `classes`, the '
            'checkpoint or test_dataloader; give classes=(...)'
        )
    return tuple(names)


def _class_names(
    checkpoint: Mapping[str, Any], cfg: Config
) -> Sequence[str] | None:
    """Names of the classes: those of the training, else of the test data."""
    dataset = (cfg.get('test_dataloader') or {}).get('dataset', {})
    sources = (
        checkpoint.get('meta', {}).get('dataset_meta') or {},
        dataset.get('metainfo') or {},
        getattr(class_of(DATASETS, dataset.get('type')), 'METAINFO', {}),
    )
    return next((s['classes'] for s in sources if s.get('classes')), None)


def prepare_model(
    model: nn.Module, amp: str | None
) -> tuple[nn.Module, AbstractContextManager]:
    """Prepare a model for the device that it is on.

    Args:
        model (nn.Module): A loaded model.
        amp (str | None): ``'bf16'``, ``'fp16'``, or None for float32.

    Returns:
        tuple[nn.Module, AbstractContextManager]: The model, and the context
        in which it runs.

    Raises:
        ValueError: The device cannot compute so.
    """
    device = next(model.parameters()).device.type
    if device == 'cpu':
        model = revert_sync_batchnorm(model)
    if amp is None:
        return model, nullcontext()
    model.to(memory_format=torch.channels_last)
    return model, torch.autocast(device, amp_dtype(amp, device))


def inference_pipeline(cfg: Config, num_classes: int) -> Compose:
    """The pipeline of the test data, for images of a user.

    Args:
        cfg (Config): With `test_dataloader`.
        num_classes (int): The number of classes of the model.

    Returns:
        Compose: Takes an :class:`~oaa_mm.apis.inputs.ImageInput`.

    Raises:
        ValueError: There is no such pipeline, or it does not load images.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset', {})
    steps = [
        dict(step)
        for step in dataset.get('pipeline', ())
        if _name(step) not in ('LoadAnnotations', 'LoadAttentionMaps')
    ]
    loaders = [step for step in steps if _name(step) == 'LoadImageFromFile']
    if not loaders:
        raise ValueError(
            'the config has no test_dataloader.dataset.pipeline with '
            'LoadImageFromFile, by which OAAInferencer prepares images; give '
            'a config that has one as `model`, the checkpoint as `weights`'
        )
    loaders[0]['type'] = 'InferencerLoader'  # which takes arrays as well
    begin = partial(ImageInput.to_results, num_classes=num_classes)
    return Compose([begin, *steps])


def _name(step: Mapping[str, Any]) -> str:
    """Name of a transform without its scope."""
    kind = step['type']
    return kind.rsplit('.')[-1] if isinstance(kind, str) else kind.__name__
