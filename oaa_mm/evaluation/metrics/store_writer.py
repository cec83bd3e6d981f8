"""Keep the maps of a test run."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log

from oaa_mm.attention import AttentionStore, quantise_attention
from oaa_mm.attention.record import DATA_SET, record_data
from oaa_mm.datasets.entries import files_of, has_binary_mask, negatives_of
from oaa_mm.registry import METRICS

#: The fields of an image that the store records with its maps.
_INFO = ('image_id', 'img_path', 'seg_map_path', 'label_map', 'gt_label')


@METRICS.register_module()
class AttentionStoreWriter(BaseMetric):
    """Write the attention maps that a model predicts to an AttentionStore.

    Put it into `test_evaluator`, with or without metrics; the maps are those
    of the final model (its CAMs), in contrast to accumulated ones.

    Args:
        out_file (str): The file; a relative one lies in the run's folder for
            logs.
        **kwargs: Further arguments of :class:`mmengine.BaseMetric`.

    Attributes:
        written (str | None): The file, once it is written; ManifestHook writes
            its manifest.
    """

    default_prefix = 'store'

    def __init__(self, out_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.out_file = out_file
        self.written: str | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Take the maps of a batch.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): With `image_id`, `attention`
                (``data``: (K, h, w) in [0, 1]) and `attention_classes` (K,);
                the store records `img_path` and `seg_map_path`.
        """
        for sample in data_samples:
            maps = quantise_attention(sample['attention']['data'].cpu())
            classes = sample['attention_classes'].tolist()
            info = {key: sample[key] for key in _INFO if key in sample}
            if 'gt_label' in info:
                info['gt_label'] = info['gt_label'].cpu()
            self.results.append((info, classes, maps.numpy()))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Write the file.

        Args:
            results (list): The entries that `process` stored, of all
                processes.

        Returns:
            dict[str, float]: ``maps``, their number, and ``coverage``, their
            mean in percent.

        Raises:
            ValueError: Two images have the same id.
        """
        store = AttentionStore()
        for info, classes, maps in results:
            for class_index, attention in zip(classes, maps, strict=True):
                store[info['image_id'], class_index] = attention
        path, meta = self._path(), self.dataset_meta or {}
        infos = [info for info, *_ in results]
        if negatives := negatives_of(infos):
            store.metadata['negatives'] = negatives
        store.metadata[DATA_SET] = record_data(
            files_of(infos, 'img_path'),
            osp.dirname(path),
            masks=files_of(infos, 'seg_map_path'),
            classes=meta.get('classes'),
            palette=meta.get('palette'),
            binary_masks=any(map(has_binary_mask, infos)),
        )
        store.save(path)
        self.written = path
        print_log(f'{len(store)} attention maps in {path}', 'current')
        return {
            'maps': float(len(store)),
            'coverage': round(100 * store.coverage, 2),
        }

    def _path(self) -> str:
        if osp.isabs(self.out_file):
            return self.out_file
        # The runner does not tell its metrics where it works; its log file
        # lies in work_dir/timestamp/.
        log_file = getattr(MMLogger.get_current_instance(), '_log_file', None)
        folder = osp.dirname(osp.dirname(log_file)) if log_file else '.'
        return osp.join(folder, self.out_file)
