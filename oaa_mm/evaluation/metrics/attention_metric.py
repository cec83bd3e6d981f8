"""mIoU of attention maps in validation and test loops."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from mmengine.logging import print_log

from oaa_mm.checks import check_choice, require
from oaa_mm.datasets.entries import has_binary_mask
from oaa_mm.evaluation.compare import result_of_maps
from oaa_mm.evaluation.counts import IGNORE_POLICIES, ImageCounts, count_image
from oaa_mm.evaluation.tables import attention_report, sweep_thresholds
from oaa_mm.io import read_mask
from oaa_mm.registry import METRICS

from .class_metric import ClassMetric

_NO_MASK = (
    'AttentionMetric needs a mask, but the data sample has neither '
    '`seg_map_path` nor `gt_sem_seg`. With masks: give the data set '
    "`data_prefix=dict(seg_map_path='...')`, check that the image's mask "
    'exists there, and that the `meta_keys` of the packing transform hold '
    "'seg_map_path' and 'label_map'. Without masks: leave AttentionMetric out "
    "of the config, with `test_evaluator = [dict(type='oaa_mm."
    "AttentionStoreWriter', out_file='cam.safetensors')]`"
)


@METRICS.register_module()
class AttentionMetric(ClassMetric):
    """Attention maps against masks, at every threshold.

    Data samples are dicts with ``attention`` (a dict whose ``data`` is the
    (K, h, w) float tensor of maps in [0, 1]), ``attention_classes`` ((K,)
    class indices) and either ``gt_sem_seg`` (a dict whose ``data`` is
    (1, H, W)) or ``seg_map_path``; a mask that is read from there is mapped
    by ``label_map``, where the sample has one, as mmseg's LoadAnnotations maps
    it. Samples whose ``seg_map_path`` is None, by which a data set says that
    the image need not have a mask, are left out, and counted. Maps are
    resized to the mask, which has the size of the original image.

    The metrics are ``mIoU``, ``fg_mIoU`` (without background), ``precision``
    and ``recall`` (means over foreground classes), in percent like those of
    mmseg, at the threshold of the highest mIoU, ``best_threshold``; and
    ``coverage``, the mean of all maps, in percent.

    Note:
        The threshold is chosen on the very masks that the score is about, and
        a model that is given the labels makes maps of these classes only.
        This measures the maps; it is no segmentation result.

    Args:
        ignore (str): ``'drop'`` leaves pixels of mask value 255 out,
            ``'background'`` counts them as background. Defaults to
            ``'drop'``.
        **kwargs: Further arguments of :class:`mmengine.BaseMetric`.
    """

    default_prefix = 'attention'

    def __init__(self, *, ignore: str = 'drop', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_choice('ignore', ignore, IGNORE_POLICIES)
        self.ignore = ignore

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add the images of a batch to the results.

        One small entry per image, not one sum: mmengine drops the images
        that pad the shares of several processes by counting entries.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): See the class.

        Raises:
            FileNotFoundError: The mask of an image is absent.
            ValueError: A sample lacks a field or does not fit its mask.
        """
        num_classes = len(self.class_names)
        for sample in data_samples:
            if sample.get('seg_map_path', '') is None:
                self.results.append(None)
                continue
            attention = _attention_of(sample)
            mask = _mask_of(sample, num_classes)
            try:
                counts = count_image(
                    attention, mask, num_classes, ignore=self.ignore
                )
            except ValueError as error:
                raise ValueError(f'{_name_of(sample)}: {error}') from error
            self.results.append(counts)

    def compute_metrics(
        self, results: list[ImageCounts | None]
    ) -> dict[str, float]:
        """Sum the images up, print tables and return the metrics.

        Args:
            results (list[ImageCounts | None]): The entries that `process`
                stored; None for images without a mask.

        Returns:
            dict[str, float]: See the class.

        Raises:
            ValueError: The masks hold no pixel to compare with.
        """
        masked = [counts for counts in results if counts is not None]
        result = result_of_maps(
            masked, self.class_names, name='attention', ignore=self.ignore
        )
        report = attention_report([result], sweep_thresholds(0.1))
        head = f'{len(masked)} of {len(results)} images have a mask'
        print_log(f'attention maps, {head}:\n{report}', logger='current')
        names = ('mIoU', 'fg_mIoU', 'precision', 'recall')
        # None, which stands for 0 / 0 (nothing was called foreground), is NaN.
        best = {name: float(np.float64(result.best[name])) for name in names}
        metrics = {name: round(100 * best[name], 2) for name in names}
        metrics['best_threshold'] = round(result.threshold, 4)
        metrics['coverage'] = round(100 * result.coverage, 2)
        return metrics


def _name_of(sample: Mapping[str, Any]) -> str:
    keys = ('seg_map_path', 'img_path', 'image_id')
    return next(filter(None, map(sample.get, keys)), 'an image')


def _attention_of(sample: Mapping[str, Any]) -> dict[int, np.ndarray]:
    """Class index -> (h, w) float map, on the CPU."""
    field = partial(
        require,
        sample,
        needed_by='AttentionMetric',
        remedy='evaluate a model that puts its maps there, such as '
        'oaa_mm.CAMClassifier',
    )
    maps = field('attention')['data'].detach().float().cpu().numpy()
    return dict(zip(field('attention_classes').tolist(), maps, strict=True))


def _mask_of(sample: Mapping[str, Any], num_classes: int) -> np.ndarray:
    """(H, W) uint8 mask of the original size."""
    if 'gt_sem_seg' in sample:
        mask = sample['gt_sem_seg']['data'].squeeze(0).cpu().numpy()
        mask = mask.astype(np.uint8)
    elif sample.get('seg_map_path'):
        label_map = sample.get('label_map') or {}
        mask = read_mask(
            sample['seg_map_path'],
            None if label_map else num_classes,
            binary=has_binary_mask(sample),
        )
        table = np.arange(256, dtype=np.uint8)
        for old, new in label_map.items():
            table[old] = new
        mask = table[mask]
    else:
        raise ValueError(f'{_name_of(sample)}: {_NO_MASK}')
    size = tuple(sample.get('ori_shape', mask.shape))[:2]
    if size != mask.shape:
        raise ValueError(
            f'{_name_of(sample)}: the mask is {mask.shape} (H, W), but the '
            f'image is {size}'
        )
    return mask
