"""Attention, overlays and pseudo-labels of any image."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.visualization import Visualizer
from mmseg.structures import SegDataSample
from torch import nn

from oaa_mm.attention import AttentionStore
from oaa_mm.io.palette import write_index_png
from oaa_mm.io.progress import progress
from oaa_mm.models.attention_model import AttentionModel
from oaa_mm.pseudo_labels import LabelRules
from oaa_mm.visualization import overlay_attention
from oaa_mm.visualization.draw import write_picture

from .inputs import ImageInput, Images, Tags, add_tags, list_images
from .labels import LabelComposer
from .loading import find_class_names, find_weights, load_state
from .predictions import pack_prediction, read_label, read_maps, set_label

#: Transforms that load what only trainings and evaluations have.
ANNOTATIONS = ('LoadAnnotations', 'LoadAttentionMaps')


class OAAInferencer(BaseInferencer):
    """Run a CAMClassifier or an IntegralAttentionModel on images.

    As mmseg's MMSegInferencer, for attention: images in; attention maps,
    overlays and pseudo-labels out. Images are treated as those of
    `test_dataloader`, scales and flips as `model.test_cfg` says.

    Args:
        model (str | os.PathLike | Config | dict | None): A config or its
            file; or the work_dir of a training, whose latest checkpoint is
            taken with the config in it. None takes the config in `weights`.
        weights (str | os.PathLike | None): A checkpoint; not needed with a
            work_dir.
        classes (Sequence[str] | None): Names of the classes. Defaults to
            None: those of the training.
        device (str | None): Defaults to None: a GPU, if there is one.
        show_progress (bool): Whether to show a progress bar. Defaults to
            True.

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
        show_progress: bool = True,
    ) -> None:
        model, weights = find_weights(model, weights)
        self.classes = None if classes is None else tuple(classes)
        init_default_scope('mmseg')
        super().__init__(model, weights, device, 'mmseg', show_progress)
        if next(self.model.parameters()).device.type == 'cpu':
            self.model = revert_sync_batchnorm(self.model)

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict, cfg: Config
    ) -> None:
        if not isinstance(model, AttentionModel):
            raise ValueError(
                'OAAInferencer runs CAMClassifier and IntegralAttentionModel, '
                f'but the config has a {type(model).__name__}; segmentation '
                'networks run in mmseg.apis.MMSegInferencer'
            )
        load_state(model, checkpoint)
        if self.classes is None:
            self.classes = find_class_names(checkpoint, cfg, model.num_classes)
        elif len(self.classes) != model.num_classes:
            raise ValueError(
                f'classes has {len(self.classes)} names, but the model has '
                f'{model.num_classes} classes'
            )

    def _init_pipeline(self, cfg: Config) -> Compose:
        steps = [
            dict(step)
            for step in cfg.test_dataloader.dataset.pipeline
            if _name(step) not in ANNOTATIONS
        ]
        for step in steps:
            if _name(step) == 'LoadImageFromFile':
                step['type'] = 'InferencerLoader'  # arrays as well
                return Compose(steps)
        raise ValueError(
            'test_dataloader.dataset.pipeline has no LoadImageFromFile'
        )

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
                uint8 BGR array (as OpenCV reads it), or a sequence of such.
                Ids are the stems of the files; arrays have their number.
            return_datasamples (bool): Whether predictions are SegDataSamples,
                with the fields of :meth:`AttentionModel.predict` and the
                label as `pred_sem_seg`. Defaults to False.
            batch_size (int): Images that are run at once. The result does not
                depend on it. Defaults to 1.
            tags (Tags | None): The classes of each image, if they are known,
                by names or indices from 0, see
                :func:`oaa_mm.apis.inputs.add_tags`. Defaults to None: the
                predicted classes.
            score_thr (float | None): Probability from which a class is
                predicted in images without tags; the most probable one always
                is. Defaults to None: ``model.test_cfg.score_thr``.
            out_dir (str | os.PathLike): Defaults to '': nothing is written.
            show (bool): Whether to show overlays in a window. Defaults to
                False.
            wait_time (float): Seconds that each is shown; 0 waits for a key.
                Defaults to 0.
            return_vis (bool): Whether to return overlays. Defaults to False.
            return_predictions (bool): Whether to return predictions; False is
                for folders that do not fit into memory. Defaults to True.
            alpha (float): Weight of the colours of overlays. Defaults to 0.6.
            rules (LabelRules | None): Constants of the labels. Defaults to
                None: ``LabelRules(background='power')``.
            refine (str): ``'none'``, ``'par'`` or ``'crf'``. Defaults to
                ``'none'``.
            refine_options (Mapping[str, Any] | None): Its parameters.

        Returns:
            dict[str, list]: ``'visualization'``, (H, W, 3) uint8 RGB
            overlays, and ``'predictions'``, one an image, with the keys

            - `image_id`,
            - `scores`: (C,) float32 probabilities of all classes,
            - `classes`: indices of the classes that have a map,
            - `names`: their names,
            - `attention`: class -> (h, w) uint8 map, round(255 * attention),
            - `attention_image`: class -> (H, W) uint8, resized to the image
              and stretched over 0..255,
            - `label`: (H, W) uint8 pseudo-label.

        Raises:
            FileNotFoundError: An image or the file of tags is absent.
            ValueError: An image cannot be read, tags do not fit, or a
                constant is out of range.
        """
        composer = LabelComposer(rules, refine, refine_options)
        items = add_tags(list_images(inputs), tags, self.classes)
        store = AttentionStore()
        results: dict[str, list] = {'predictions': [], 'visualization': []}
        for batch, data in self.preprocess(items, batch_size):
            samples = self.forward(data, score_thr)
            for item, sample in zip(batch, samples, strict=True):
                maps = read_maps(sample)
                label = composer(item, maps, tuple(sample.ori_shape[:2]))
                set_label(sample, label)
                for class_index, attention in maps.items():
                    store[item.image_id, class_index] = attention
            if out_dir or show or return_vis:
                pictures = self.visualize(
                    batch, samples, show, wait_time, alpha, out_dir
                )
                results['visualization'] += pictures if return_vis else []
            done = self.postprocess(samples, None, return_datasamples, out_dir)
            results['predictions'] += done if return_predictions else []
        if out_dir:
            store.save(Path(out_dir) / 'attention.safetensors')
        return results

    def preprocess(
        self, inputs: Sequence[ImageInput], batch_size: int = 1
    ) -> Iterator[tuple[list[ImageInput], dict]]:
        """Load the images batch by batch, with a progress bar.

        Args:
            inputs (Sequence[ImageInput]): The images.
            batch_size (int): Defaults to 1.

        Yields:
            tuple[list[ImageInput], dict]: The images of a batch, and what the
            model takes.
        """
        count = len(self.classes)
        batches = list(self._get_chunk_data(inputs, batch_size))
        if self.show_progress:
            batches = progress(batches, 'Inference')
        for batch in batches:
            data = [self.pipeline(item.to_results(count)) for item in batch]
            yield batch, self.collate_fn(data)

    @torch.no_grad()
    def forward(
        self, inputs: dict, score_thr: float | None = None
    ) -> list[SegDataSample]:
        """Run the model on a batch.

        Args:
            inputs (dict): What the model takes.
            score_thr (float | None): See :meth:`__call__`.

        Returns:
            list[SegDataSample]: See :meth:`AttentionModel.predict`; on the
            CPU.
        """
        config = self.model.test_cfg
        if score_thr is None:
            score_thr = config.score_thr
        # Labels are there only where a user has given tags.
        self.model.test_cfg = replace(
            config, use_labels=True, score_thr=score_thr
        )
        try:
            return [sample.cpu() for sample in self.model.test_step(inputs)]
        finally:
            self.model.test_cfg = config

    def visualize(
        self,
        inputs: Sequence[ImageInput],
        preds: Sequence[SegDataSample],
        show: bool = False,
        wait_time: float = 0,
        alpha: float = 0.6,
        out_dir: str | os.PathLike = '',
    ) -> list[np.ndarray]:
        """Draw the attention of a batch over its images.

        Args:
            inputs (Sequence[ImageInput]): The images.
            preds (Sequence[SegDataSample]): Their predictions.
            show (bool): See :meth:`__call__`.
            wait_time (float): Likewise.
            alpha (float): Likewise.
            out_dir (str | os.PathLike): Likewise.

        Returns:
            list[np.ndarray]: (H, W, 3) uint8 RGB.
        """
        pictures = []
        for item, sample in zip(inputs, preds, strict=True):
            picture = overlay_attention(
                item.read(), read_maps(sample), alpha=alpha
            )
            pictures.append(picture)
            if out_dir:
                path = Path(out_dir) / f'vis/{item.image_id}.png'
                write_picture(path, picture)
            if show:
                self._window.show(picture, item.image_id, wait_time)
        return pictures

    def postprocess(
        self,
        preds: Sequence[SegDataSample],
        visualization: None = None,
        return_datasamples: bool = False,
        out_dir: str | os.PathLike = '',
    ) -> list[dict[str, Any] | SegDataSample]:
        """Write the labels of a batch, and pack what is returned of it.

        Args:
            preds (Sequence[SegDataSample]): Predictions with labels.
            visualization (None): Not used.
            return_datasamples (bool): See :meth:`__call__`.
            out_dir (str | os.PathLike): Likewise.

        Returns:
            list[dict[str, Any] | SegDataSample]: See :meth:`__call__`.
        """
        if out_dir:
            for sample in preds:
                path = Path(out_dir) / f'labels/{sample.image_id}.png'
                write_index_png(path, read_label(sample))
        if return_datasamples:
            return list(preds)
        return [pack_prediction(sample, self.classes) for sample in preds]

    def _init_visualizer(self, cfg: Config) -> None:
        """Overlays are drawn here; a window opens when it is wanted."""
        self._window = Visualizer()


def _name(step: Mapping[str, Any]) -> str:
    """Name of a transform without its scope."""
    kind = step['type']
    return kind.rsplit('.')[-1] if isinstance(kind, str) else kind.__name__
