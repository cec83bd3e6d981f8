"""Loading accumulated attention as the target of a training."""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.coverage import check_maps
from oaa_mm.attention.store_names import final_store
from oaa_mm.checks import require
from oaa_mm.registry import TRANSFORMS

#: Stands for the maps of a negative image, which has none.
_NO_MAP = np.zeros((1, 1), np.uint8)


@TRANSFORMS.register_module()
class LoadAttentionMaps(BaseTransform):
    """Load the attention maps of the labelled classes of an image.

    The maps stay as they are stored, in the frame of the image and at feature
    resolution; the model brings them to the grid of its output by the
    `placement` that the data set records, in a single step (see
    :func:`oaa_mm.attention.from_frame`). So this transform may stand
    anywhere before PackImageLevelInputs. As the first of a pipeline, its
    store is the key ``train_dataloader.dataset.pipeline.0.store``.

    The store is opened when the first map is needed, and each worker process
    reads only the maps that it needs.

    Required Keys:

    - image_id
    - gt_label

    Added Keys:

    - gt_attention ((K, h, w) uint8, round(255 * attention))
    - gt_attention_classes ((K,) int64, increasing)

    Args:
        store (str): A file that OAAHook or AttentionStoreWriter wrote; the
            folder of a run, whose last accumulated maps are meant; or a
            folder in the authors' format, ``{image_id}_{class}.png``.
    """

    def __init__(self, store: str) -> None:
        self.store = os.fspath(final_store(store))

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open file behind: a spawned worker opens it for itself."""
        return {k: v for k, v in self.__dict__.items() if k != '_maps'}

    @cached_property
    def _maps(self) -> Mapping[tuple[str, int], np.ndarray]:
        return AttentionStore.open(self.store)

    def check_data(self, data_infos: Iterable[Mapping[str, Any]]) -> None:
        """Make sure that every labelled class of every image has a map.

        ImageLevelDataset calls this when it is built.

        Args:
            data_infos (Iterable[Mapping[str, Any]]): With `image_id` and
                `gt_label`, the images of the data set.

        Raises:
            FileNotFoundError: There is no such store.
            ValueError: The store is damaged, images have no labels, or pairs
                have no map; these are counted, and some are named.
        """
        check_maps(
            self.store,
            [
                f'{d["image_id"]} class {c}'
                for d in data_infos
                for c in _classes(d)
            ],
            {f'{image_id} class {c}' for image_id, c in self._maps},
            remedy='A missing map must not count as a map of zeros. The last '
            "store of a finished training with OAAHook(fallback='last') has "
            'all pairs of its images; accumulate on the same list and labels.',
            what='labelled (image, class) pairs',
        )

    def transform(self, results: dict) -> dict:
        """Load the maps of an image.

        Args:
            results (dict): With `image_id` and `gt_label` (C,).

        Returns:
            dict: With the added keys, see the class.

        Raises:
            ValueError: The image has no labels, a map is missing, or its maps
                differ in size.
        """
        classes = _classes(results)
        maps = [self._map(results['image_id'], c) for c in classes]
        sizes = {attention.shape for attention in maps}
        if len(sizes) > 1:
            raise ValueError(
                f'{self.store}: the attention maps of image '
                f'{results["image_id"]!r} differ in size: {sorted(sizes)}'
            )
        results['gt_attention'] = np.stack(maps or [_NO_MAP])[: len(maps)]
        results['gt_attention_classes'] = np.array(classes, np.int64)
        return results

    def _map(self, image_id: str, class_index: int) -> np.ndarray:
        try:
            return self._maps[image_id, class_index]
        except KeyError as error:
            raise ValueError(
                f'{self.store} has no attention map of image {image_id!r}, '
                f'class {class_index}'
            ) from error

    def __repr__(self) -> str:
        return f'{type(self).__name__}(store={self.store!r})'


def _classes(info: Mapping[str, Any]) -> list[int]:
    """Labelled classes of an image."""
    for key in ('image_id', 'gt_label'):
        require(
            info,
            key,
            needed_by='LoadAttentionMaps',
            remedy='use an ImageLevelDataset with labels',
        )
    return np.flatnonzero(info['gt_label']).tolist()
