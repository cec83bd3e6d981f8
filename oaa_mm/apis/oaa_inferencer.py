"""Attention, overlays and pseudo-labels of any image."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer
from mmengine.registry import init_default_scope
from mmengine.visualization import Visualizer
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.attention import AttentionStore
from oaa_mm.checks import check_number
from oaa_mm.io import write_image
from oaa_mm.io.progress import progress
from oaa_mm.pseudo_labels import LabelRules
from oaa_mm.visualization.overlay import overlay_attention

from . import loading
from .inputs import ImageInput, Images, Tags, add_tags, list_images
from .prediction_list import Predictions
from .predictions import Labeller, pack_prediction, read_maps, save_maps


class OAAInferencer(BaseInferencer):
    """Run a CAMClassifier or an IntegralAttentionModel on images.

    Images are treated as those of `test_dataloader`; `model.test_cfg` sets
    scales and flips. For segmentation networks, mmseg has the MMSegInferencer.

    Args:
        model (str | os.PathLike | Config | dict | None): A config or its
            file; or the work_dir of a training, whose latest checkpoint is
            taken with the config in it. None takes the config in `weights`.
        weights (str | os.PathLike | None): A checkpoint; not needed with a
            work_dir.
        classes (Sequence[str] | None): Names of the classes. Defaults to
            None: those of the training.
        device (str | None): Defaults to None: a GPU, if there is one.
        amp (str | None): ``'bf16'``, or on a GPU ``'fp16'``: the arithmetic
            of convolutions. Defaults to None: float32.
        show_progress (bool): Whether to show a progress bar.

    Raises:
        FileNotFoundError: The config or the checkpoint is absent.
        ValueError: There are no weights, they do not fit the model, or it is
            no model of attention.

    Example:
        >>> inferencer = OAAInferencer('work_dirs/oaa_vgg16_voc')
        >>> results = inferencer('dog.jpg', tags=['dog', 'person'])
        >>> results['predictions'][0]['label']  # (H, W) uint8
    """

    def __init__(
        self,
        model: str | os.PathLike | Config | dict | None = None,
        weights: str | os.PathLike | None = None,
        *,
        classes: Sequence[str] | None = None,
        device: str | None = None,
        amp: str | None = None,
        show_progress: bool = True,
    ) -> None:
        model, weights = loading.find_weights(model, weights)
        self.classes = classes
        init_default_scope('mmseg')
        super().__init__(model, weights, device, 'mmseg', show_progress)
        self.model, self.autocast = loading.prepare_model(self.model, amp)
        # Labels are there only where a user has given tags.
        self.model.test_cfg = replace(self.model.test_cfg, use_labels=True)

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict, cfg: Config
    ) -> None:
        self.classes = loading.load_weights(
            model, checkpoint, cfg, self.classes
        )

    def _init_pipeline(self, cfg: Config) -> Compose:
        return loading.inference_pipeline(cfg, len(self.classes))

    def _init_visualizer(self, cfg: Config) -> Visualizer:
        return Visualizer()  # for its window, which opens when it is wanted

    def __call__(
        self,
        inputs: Images,
        return_datasamples: bool = False,
        batch_size: int = 1,
        *,
        tags: Tags | None = None,
        score_thr: float | None = None,
        out_dir: str | os.PathLike = '',
        show: bool = False,
        wait_time: float = 0,
        return_vis: bool = False,
        return_predictions: bool = True,
        alpha: float = 0.6,
        rules: LabelRules | None = None,
        refine: str = 'none',
        refine_options: Mapping[str, Any] | None = None,
        regions_dir: str | os.PathLike | None = None,
    ) -> dict[str, list]:
        """Compute attention and pseudo-labels of images.

        With `out_dir`, each image has ``vis/{image_id}.png``, the attention
        over the image, and ``labels/{image_id}.png``, a palette PNG with 0
        for background, c + 1 for class c and 255 for ignored pixels, written
        as soon as it is done; ``attention.safetensors``, the maps of all
        images for :class:`~oaa_mm.attention.AttentionStore` and
        ``tools/make_pseudo_labels.py``, comes at the end.

        Args:
            inputs (Images): An image file, a folder of images, an (H, W, 3)
                uint8 BGR array (as OpenCV reads it), a PIL image, or several.
                Ids are the stems of the files; others have their number.
            return_datasamples (bool): Whether predictions are those of
                :meth:`AttentionModel.predict`, the label as `pred_sem_seg`.
            batch_size (int): Images at once; the result is the same.
            tags (Tags | None): The known classes of each image, see
                :func:`oaa_mm.apis.inputs.add_tags`. None predicts them.
            score_thr (float | None): Probability from which further classes
                than the first are predicted. None: that of `model.test_cfg`.
            out_dir (str | os.PathLike): Folder of the files; '' writes none.
            show (bool): Whether to show overlays in a window.
            wait_time (float): Seconds that each is shown; 0 waits for a key.
            return_vis (bool): Whether to return overlays.
            return_predictions (bool): False is for folders beyond memory.
            alpha (float): Weight of the colours of overlays, 0..1.
            rules (LabelRules | None): Constants of the labels. None takes
                ``LabelRules(background='power')``.
            refine (str): ``'none'`` or steps such as ``'regions,par'``, see
                :func:`oaa_mm.pseudo_labels.build_refine`.
            refine_options (Mapping[str, Any] | None): Their parameters.
            regions_dir (str | os.PathLike | None): Masks of ``'regions'``.

        Returns:
            dict[str, list]: ``'visualization'``, (H, W, 3) uint8 RGB
            overlays, and ``'predictions'``, which a notebook shows; one an
            image, see :func:`oaa_mm.apis.predictions.pack_prediction`.

        Raises:
            FileNotFoundError: An image, a file of tags or regions is absent.
            ValueError: An image, tags or a constant cannot be used.
        """
        check_number('batch_size', batch_size, low=1, integer=True)
        check_number('alpha', alpha, low=0, high=1)
        items = add_tags(list_images(inputs), tags, self.classes)
        add_label = Labeller(
            items, rules, refine, refine_options, regions_dir, out_dir
        )
        store = AttentionStore()
        results: dict[str, list] = {'predictions': [], 'visualization': []}
        if not return_datasamples:
            results['predictions'] = Predictions(items, self.classes)
        for images, samples in self._run(items, batch_size, score_thr):
            for image, sample in zip(images, samples, strict=True):
                for class_index, map_ in read_maps(sample).items():
                    store[image.image_id, class_index] = map_
                add_label(sample, image)
            done = self.postprocess(samples, None, return_datasamples)
            results['predictions'] += done if return_predictions else []
            if not (out_dir or show or return_vis):
                continue
            pictures = self.visualize(images, samples, alpha)
            results['visualization'] += pictures if return_vis else []
            for image, picture in zip(images, pictures, strict=True):
                name = image.image_id
                if out_dir:
                    write_image(Path(out_dir, f'vis/{name}.png'), picture)
                if show:
                    self.visualizer.show(picture, name, wait_time)
        if out_dir:
            save_maps(out_dir, store, items, self.classes)
        return results

    def _run(
        self,
        items: Sequence[ImageInput],
        batch_size: int,
        score_thr: float | None,
    ) -> Iterator[tuple[list[ImageInput], list[SegDataSample]]]:
        """Images and their predictions, on the CPU, batch by batch."""
        config = self.model.test_cfg
        if score_thr is not None:
            self.model.test_cfg = replace(config, score_thr=score_thr)
        batches = self.preprocess(items, batch_size)
        if self.show_progress:
            total = math.ceil(len(items) / batch_size)
            batches = progress(batches, 'Inference', total)
        remaining = iter(items)
        try:
            for batch in batches:
                with self.autocast:
                    samples = [s.cpu() for s in self.forward(batch)]
                yield list(islice(remaining, len(samples))), samples
        finally:
            self.model.test_cfg = config

    def visualize(
        self,
        inputs: Sequence[ImageInput],
        preds: Sequence[SegDataSample],
        alpha: float = 0.6,
    ) -> list[np.ndarray]:
        """Draw the attention of a batch over its images.

        Args:
            inputs (Sequence[ImageInput]): The images.
            preds (Sequence[SegDataSample]): Their predictions.
            alpha (float): See :meth:`__call__`.

        Returns:
            list[np.ndarray]: (H, W, 3) uint8 RGB.
        """
        return [
            overlay_attention(item.read(), read_maps(sample), alpha=alpha)
            for item, sample in zip(inputs, preds, strict=True)
        ]

    def postprocess(
        self,
        preds: Sequence[SegDataSample],
        visualization: None = None,
        return_datasamples: bool = False,
    ) -> list[dict[str, Any] | SegDataSample]:
        """Pack the results of a batch, see :meth:`__call__`.

        Args:
            preds (Sequence[SegDataSample]): Predictions with labels.
            visualization (None): Not used.
            return_datasamples (bool): Whether to leave them as they are.

        Returns:
            list[dict[str, Any] | SegDataSample]: One an image.
        """
        if return_datasamples:
            return list(preds)
        return [pack_prediction(sample, self.classes) for sample in preds]
