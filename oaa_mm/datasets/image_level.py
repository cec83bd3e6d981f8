"""Images with image-level labels."""

import os.path as osp
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from mmseg.datasets import BaseSegDataset

from oaa_mm.io import (
    IGNORE_INDEX,
    ImageFolder,
    check_image_id,
    find_by_id,
    find_images,
)
from oaa_mm.io.masks import class_values
from oaa_mm.registry import DATASETS
from oaa_mm.tags import (
    LabelTable,
    ListedImage,
    labels_of_set,
    labels_to_train_on,
    read_image_list,
)
from oaa_mm.tags.table import NO_CLASSES, multi_hot

from .entries import make_entries, voc_palette
from .files import image_sizes
from .transforms import RecordingCompose
from .transforms.frame_size import iterate_transforms

#: Arguments of mmseg that have a single value here.
_FIXED = {
    'reduce_zero_label': False,
    'ignore_index': IGNORE_INDEX,
    'backend_args': None,
}


@DATASETS.register_module()
class ImageLevelDataset(BaseSegDataset):
    """Images, their ids and their image-level labels; masks are optional.

    A sample of the pipeline starts with the keys `img_path`, `image_id` (stem
    of the file, with the sub-folders of the image folder), `gt_label` ((C,)
    uint8, absent for unlabelled test images), `seg_map_path` (only where a
    mask exists; for evaluation), and what mmseg's loading transforms need.
    The pipeline records flips, crops and resizes in `placement`.

    Everything is checked when the data set is built: files that are listed
    but absent or truncated, labels out of range, images without a label,
    duplicate ids.

    Args:
        ann_file (str): List of images, one a line: an id, a file name, or a
            line of the authors' format ``name c1 c2 ...`` (0-based); see
            :func:`oaa_mm.tags.read_image_list`. Empty means all images of
            `labels`.
        labels (str | None): Source of the image-level labels: a VOC
            `Annotations` folder, a list, `cls_labels.npy`, CSV, COCO
            instances JSON or a folder of masks (see
            :func:`oaa_mm.tags.read_labels`), relative to `data_root`. None
            takes them from `ann_file`. Defaults to None.
        labels_format (str | None): Form of `labels`; None tells it from the
            file. Defaults to None.
        check_images (bool): Look at every image file when the data set is
            built (some seconds for VOC). Defaults to True.
        data_prefix (dict): `img_path` and, for evaluation, `seg_map_path`,
            relative to `data_root`.
        metainfo (dict | None): `classes`, names of the C foreground classes,
            and `palette`. A subset of the data set's own classes selects
            these; images that have only others are left out, and counted.
        pipeline (Sequence[dict | Callable]): Transforms.
        filter_cfg (dict | None): ``dict(filter_empty_gt=True)``, as in mmdet,
            leaves images without any class out, and counts them; without it
            they are negatives, whose targets are all 0. Defaults to None.
        binary_masks (bool): Whether 255 marks the only class in masks, those
            of `labels` and of `seg_map_path`; `label_map` of a sample tells
            it to LoadAnnotations and AttentionMetric. Defaults to False.
        id_prefix (str): Put before all ids, such as ``'a/'``, so that they
            differ from those of another data set that is joined to this one.
            Defaults to nothing.
        lazy_init (bool): Do not load yet. Defaults to False.
        test_mode (bool): Labels may be absent. Defaults to False.
        **kwargs: Arguments of mmseg's BaseSegDataset: `data_root`,
            `img_suffix`, `seg_map_suffix`, `indices`, ... Of
            `reduce_zero_label`, `ignore_index` and `backend_args`, only the
            defaults are allowed.

    Raises:
        FileNotFoundError: `data_root`, the list, the labels or listed images
            are absent.
        ValueError: The list is empty or has an id twice, labels are missing
            or out of range, an image is unreadable, or an argument of mmseg
            has a value that cannot be honoured.
    """

    def __init__(
        self,
        ann_file: str = '',
        *,
        labels: str | None = None,
        labels_format: str | None = None,
        check_images: bool = True,
        data_prefix: Mapping[str, str] | None = None,
        binary_masks: bool = False,
        id_prefix: str = '',
        lazy_init: bool = False,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        self.labels = labels
        self.labels_format = labels_format
        self.check_images = check_images
        self.binary_masks = binary_masks
        self.id_prefix = id_prefix
        super().__init__(
            ann_file=ann_file,
            data_prefix={'img_path': '', **(data_prefix or {})},
            lazy_init=True,
            **kwargs,
        )
        for name, value in _FIXED.items():
            if (given := getattr(self, name)) != value:
                raise ValueError(
                    f'{type(self).__name__}: {name} should be {value}, but '
                    f'got {given!r}; leave it out. Files lie on a disk of '
                    'this machine; masks hold 0 for background, c + 1 for '
                    f'class c, and {IGNORE_INDEX} where pixels are ignored'
                )
        # Not handed to mmseg, which would want the names of the classes now.
        self.test_mode = test_mode
        self.pipeline = RecordingCompose(self.pipeline.transforms)
        if not lazy_init:
            self.full_init()

    def _join_prefix(self) -> None:
        if not osp.isdir(self.data_root):
            raise FileNotFoundError(
                f'data_root {self.data_root!r} is not a folder; set '
                '`data_root` in train_dataloader.dataset (or val_, test_)'
            )
        super()._join_prefix()
        if self.labels:
            self.labels = osp.join(self.data_root, self.labels)

    def _update_palette(self) -> list:
        """VOC's colours where none are given, so that pictures agree."""
        palette = voc_palette(self._metainfo, first=1)
        return super()._update_palette() if palette is None else palette

    def full_init(self) -> None:
        """Load the data list, and let transforms look through it.

        Those with a method `check_data` get all entries, so that what one of
        them lacks is found now, not in the middle of a training.
        """
        if self._fully_initialized:
            return
        super().full_init()
        for transform in iterate_transforms(self.pipeline):
            if hasattr(transform, 'check_data'):
                transform.check_data(map(self.get_data_info, range(len(self))))

    def get_cat_ids(self, idx: int) -> list[int]:
        """The classes of an image, as ClassBalancedDataset wants them.

        Args:
            idx (int): Number of the image.

        Returns:
            list[int]: Class indices.
        """
        return np.flatnonzero(self.get_data_info(idx)['gt_label']).tolist()

    def load_data_list(self) -> list[dict]:
        """Read the list and the labels, and look at the files.

        Returns:
            list[dict]: One entry an image, see the class.
        """
        folder = ImageFolder(self.data_prefix['img_path'], self.img_suffix)
        images, table = self._read_list(folder)
        labels = dict.fromkeys(image.image_id for image in images)
        if table.labels:  # else these are test images
            labels = labels_to_train_on(
                table,
                list(labels),
                self.labels or self.ann_file,
                drop_empty=(self.filter_cfg or {}).get('filter_empty_gt'),
                chosen=self.metainfo['classes'] if self.label_map else None,
            )
        names = [i.name for i in images if i.image_id in labels]
        paths = find_images(folder, names)
        sizes = {}
        if self.check_images:
            sizes = image_sizes(paths, self.pipeline.transforms)
        label_map = class_values(self.label_map, binary=self.binary_masks)
        infos = make_entries(paths, self._masks(paths), label_map=label_map)
        num_classes = len(self.metainfo['classes'])
        for info, classes in zip(infos, labels.values(), strict=True):
            image_id = info['image_id']
            info |= sizes.get(image_id, {})
            info['image_id'] = check_image_id(self.id_prefix + image_id)
            if classes is not None:
                info['gt_label'] = multi_hot(classes, num_classes)
        return infos

    def _read_list(
        self, folder: ImageFolder
    ) -> tuple[list[ListedImage], LabelTable]:
        """The images and their labels, before any is left out."""
        images = []
        if self.ann_file:
            images = read_image_list(
                self.ann_file,
                tags=not self.labels,
                known=folder,
                suffix=self.img_suffix,
            )
        own = self.METAINFO.get('classes')
        table = labels_of_set(
            images,
            self.ann_file,
            self.labels,
            needed=not self.test_mode,
            classes=own or self.metainfo.get('classes'),
            format=self.labels_format,
            binary_masks=self.binary_masks,
            suffix=self.img_suffix,
        )
        if table.classes is None:
            raise ValueError(f'{self.labels or self.ann_file}: {NO_CLASSES}')
        if own is None:
            # As the labels name them, or without blanks around them.
            self._metainfo['classes'] = table.classes
            self._metainfo['palette'] = self._update_palette()
        return images or table.images(), table

    def _masks(self, image_ids: Iterable[str]) -> dict[str, str]:
        """Paths of the masks that there are, by id."""
        folder = self.data_prefix.get('seg_map_path')
        if not folder or not osp.isdir(folder):
            return {}
        return find_by_id(
            folder, image_ids, self.seg_map_suffix, allow_missing=True
        )
