"""Predictions of an AttentionModel as arrays."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from oaa_mm.attention import AttentionStore, quantise_attention
from oaa_mm.attention.record import DATA_SET, record_data
from oaa_mm.io import write_mask
from oaa_mm.io.label_folder import label_file
from oaa_mm.pseudo_labels import LabelRules, build_refine, label_image
from oaa_mm.pseudo_labels.region_files import find_regions

from .inputs import ImageInput


def read_maps(sample: SegDataSample) -> dict[int, np.ndarray]:
    """The attention maps as a store keeps them.

    Args:
        sample (SegDataSample): Of :meth:`AttentionModel.predict`.

    Returns:
        dict[int, np.ndarray]: Class -> (h, w) uint8, round(255 * attention).
    """
    maps = quantise_attention(sample.attention.data).numpy()
    return dict(zip(sample.attention_classes.tolist(), maps, strict=True))


class Labeller:
    """Adds pseudo-labels to predictions, where mmseg has segmentations.

    Args:
        images (Sequence[ImageInput]): All images that may come.
        rules (LabelRules | None): Constants of the labels. None takes
            ``LabelRules(background='power')``.
        refine (str): See :func:`oaa_mm.pseudo_labels.build_refine`.
        refine_options (Mapping[str, Any] | None): Parameters of its steps.
        regions_dir (str | os.PathLike | None): Folder of regions, see
            :mod:`oaa_mm.pseudo_labels.region_files`.
        out_dir (str | os.PathLike): Folder for ``labels/{image_id}.png``; ''
            writes none.

    Raises:
        FileNotFoundError: Files of regions are absent.
        ValueError: The refinement cannot be had, or rules need saliency.
    """

    def __init__(
        self,
        images: Sequence[ImageInput],
        rules: LabelRules | None,
        refine: str,
        refine_options: Mapping[str, Any] | None,
        regions_dir: str | os.PathLike | None,
        out_dir: str | os.PathLike,
    ) -> None:
        self.out_dir = out_dir
        self.rules = rules or LabelRules(background='power')
        self.rules.check_saliency(False)
        self.refine = partial(build_refine, refine, refine_options)
        self.refine(regions=regions_dir)  # before any work
        image_ids = [image.image_id for image in images]
        self.regions = find_regions(regions_dir, image_ids)

    def __call__(self, sample: SegDataSample, image: ImageInput) -> None:
        """Add the label to a prediction.

        Args:
            sample (SegDataSample): Gets the field `pred_sem_seg`.
            image (ImageInput): Its image.
        """
        refine = self.refine(regions=self.regions.get(image.image_id))
        label = label_image(
            read_maps(sample),
            tuple(sample.ori_shape[:2]),
            self.rules,
            image=None if refine is None else image.read(),
            refine=refine,
        )
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(label)[None])
        if self.out_dir:
            write_mask(label_file(self.out_dir, image.image_id), label)


def save_maps(
    out_dir: str | os.PathLike,
    store: AttentionStore,
    items: Sequence[ImageInput],
    class_names: Sequence[str],
) -> None:
    """Write maps, and of which files and classes they are.

    Args:
        out_dir (str | os.PathLike): Gets ``attention.safetensors``.
        store (AttentionStore): The maps.
        items (Sequence[ImageInput]): All images, arrays as well.
        class_names (Sequence[str]): Names of the C classes.
    """
    files = {i.image_id: i.image for i in items if isinstance(i.image, str)}
    store.metadata[DATA_SET] = record_data(files, out_dir, classes=class_names)
    store.save(Path(out_dir, 'attention.safetensors'))


def pack_prediction(
    sample: SegDataSample, class_names: Sequence[str]
) -> dict[str, Any]:
    """A prediction as plain arrays.

    Args:
        sample (SegDataSample): Of :meth:`AttentionModel.predict`, with the
            pseudo-label as `pred_sem_seg`.
        class_names (Sequence[str]): Names of the C classes.

    Returns:
        dict[str, Any]: A dictionary with the keys

        - `image_id`,
        - `scores`: (C,) float32 probabilities of all classes,
        - `classes`: indices of the classes that have a map,
        - `names`: their names,
        - `attention`: class -> (h, w) uint8 map, round(255 * attention),
        - `attention_image`: class -> (H, W) uint8, resized to the image and
          stretched over 0..255,
        - `label`: (H, W) uint8 pseudo-label.
    """
    classes = sample.attention_classes.tolist()
    large = sample.attention_image.data.numpy()
    return {
        'image_id': sample.image_id,
        'scores': sample.pred_score.numpy(),
        'classes': classes,
        'names': [class_names[c] for c in classes],
        'attention': read_maps(sample),
        'attention_image': dict(zip(classes, large, strict=True)),
        'label': sample.pred_sem_seg.data[0].numpy(),
    }
