"""Images with image-level labels."""

from __future__ import annotations

import os.path as osp
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset

from oaa_mm.checks import name_some
from oaa_mm.io import check_image_id
from oaa_mm.io.palette import voc_colormap
from oaa_mm.registry import DATASETS
from oaa_mm.tags import LabelTable, image_stem, read_labels
from oaa_mm.tags.formats._common import read_text

from .files import inspect_images
from .transforms import RecordingCompose
from .transforms.nominal import RESIZES, flatten, resized


@DATASETS.register_module()
class ImageLevelDataset(BaseSegDataset):
    """Images, their ids and their image-level labels; masks are optional.

    A sample of the pipeline starts with the keys `img_path`, `image_id` (stem
    of the file), `gt_label` ((C,) uint8, absent for unlabelled test images),
    `seg_map_path` (only where a mask exists; for evaluation), and what mmseg's
    loading transforms need. The pipeline records flips, crops and resizes in
    `placement`.

    Everything is checked when the data set is built: files that are listed
    but absent or truncated, labels out of range, images without a label,
    duplicate ids.

    Args:
        ann_file (str): List of images, one a line: an id, a file name, or a
            line of the authors' format ``name c1 c2 ...`` (0-based). Empty
            means all images of `labels`.
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
            these; images without any of them are then left out, and counted.
        pipeline (Sequence[dict | Callable]): Transforms.
        filter_cfg (dict | None): ``dict(filter_empty_gt=True)``, as in mmdet,
            leaves images without any class out, and counts them; without it
            they are an error. Defaults to None.
        lazy_init (bool): Do not load yet. Defaults to False.
        test_mode (bool): Labels may be absent. Defaults to False.
        **kwargs: Arguments of mmseg's BaseSegDataset: `data_root`,
            `img_suffix`, `seg_map_suffix`, `indices`, ...

    Raises:
        FileNotFoundError: `data_root`, the list, the labels or listed images
            are absent.
        ValueError: The list is empty or has an id twice, labels are missing
            or out of range, an image is unreadable.
    """

    def __init__(
        self,
        ann_file: str = '',
        *,
        labels: str | None = None,
        labels_format: str | None = None,
        check_images: bool = True,
        data_prefix: Mapping[str, str] | None = None,
        metainfo: Mapping | None = None,
        pipeline: Sequence[dict | Callable] = (),
        lazy_init: bool = False,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        self.labels = labels
        self.labels_format = labels_format
        self.check_images = check_images
        self._input_sizes: dict[tuple[int, int], tuple[int, int]] = {}
        super().__init__(
            ann_file=ann_file,
            data_prefix={'img_path': '', **(data_prefix or {})},
            metainfo=metainfo,
            pipeline=list(pipeline),
            lazy_init=True,
            **kwargs,
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
        if self.labels and not osp.isabs(self.labels):
            self.labels = osp.join(self.data_root, self.labels)

    def _update_palette(self) -> list:
        """VOC's colours where none are given, so that pictures agree."""
        count = len(self._metainfo.get('classes') or ())
        palette = self._metainfo.get('palette') or []
        if not count:  # the labels will name the classes
            return palette
        if palette or count > 255:
            return super()._update_palette()
        return voc_colormap(count + 1)[1:].tolist()

    def full_init(self) -> None:
        """Load the data list, and let transforms look through it.

        Those with a method `check_data` get all entries, so that what one of
        them lacks is found now, not in the middle of a training.
        """
        if self._fully_initialized:
            return
        super().full_init()
        for transform in self.pipeline.transforms:
            for inner in flatten(transform):
                if hasattr(inner, 'check_data'):
                    inner.check_data(map(self.get_data_info, range(len(self))))

    def load_data_list(self) -> list[dict]:
        """Read the list and the labels, and look at the files.

        Returns:
            list[dict]: One entry an image, see the class.
        """
        names = self._read_names()
        table = self._read_table()
        if not self.ann_file:
            names = {name: name for name in sorted(table.labels)}
        if not names:
            raise ValueError(
                f'{self.labels or type(self).__name__}: no image is named; '
                'list images in `ann_file`, or give `labels` that hold some'
            )
        labels = self._labels_of(names, table)
        paths = {i: self._image_path(names[i], i) for i in labels}
        sizes = self._inspect(paths)
        return [
            self._data_info(image_id, path, labels[image_id], sizes)
            for image_id, path in paths.items()
        ]

    def _read_names(self) -> dict[str, str]:
        """Image id -> name in the list, in the order of the list."""
        if not self.ann_file:
            return {}
        if not osp.isfile(self.ann_file):
            raise FileNotFoundError(
                f'ann_file {self.ann_file!r} does not exist; it lists one '
                'image a line'
            )
        names: dict[str, str] = {}
        for number, words in _read_lines(self.ann_file):
            image_id = _listed_id(words[0], f'{self.ann_file}, line {number}')
            if image_id in names:
                raise ValueError(
                    f'{self.ann_file}, line {number}: image id {image_id!r} '
                    'was already listed. Ids are the stems of the file names '
                    'and must be unique'
                )
            names[image_id] = words[0]
        if not names:
            raise ValueError(
                f'{self.ann_file}: the list names no image; it should hold '
                'one a line'
            )
        return names

    def _read_table(self) -> LabelTable:
        classes = self.METAINFO.get('classes') or self.metainfo.get('classes')
        if self.labels:
            table = read_labels(
                self.labels, format=self.labels_format, classes=classes
            )
        elif self.ann_file and not self._is_plain_list():
            table = read_labels(self.ann_file, format='list', classes=classes)
        elif self.test_mode:
            table = LabelTable({}, classes)
        else:
            raise ValueError(
                f'{type(self).__name__} needs image-level labels: give '
                '`labels` (a VOC Annotations folder, list, npy, CSV, COCO '
                'JSON or folder of masks), or an `ann_file` with lines '
                '`name c1 c2 ...`'
            )
        if classes is None and table.classes is not None:
            self._metainfo['classes'] = table.classes
            self._metainfo['palette'] = self._update_palette()
        elif classes is None:
            raise ValueError(
                f'{type(self).__name__}: name the classes, for example '
                "metainfo=dict(classes=('cat', 'dog'))"
            )
        return table

    def _is_plain_list(self) -> bool:
        """Whether no line of `ann_file` has a class index."""
        return all(len(words) < 2 for _, words in _read_lines(self.ann_file))

    def _labels_of(
        self, names: Mapping[str, str], table: LabelTable
    ) -> dict[str, tuple[int, ...] | None]:
        """Classes of each image, mapped to the selected classes."""
        if self.test_mode and not table.labels:
            return dict.fromkeys(names)
        source = self.labels or self.ann_file
        if (self.filter_cfg or {}).get('filter_empty_gt'):
            names = self._without_empty(names, table)
        absent = [i for i in names if i not in table.labels]
        empty = [i for i in names if table.labels.get(i) == ()]
        for ids, what in ((absent, 'no entry'), (empty, 'no class')):
            if ids:
                raise ValueError(
                    f'{source}: {len(ids)} listed images have {what} in the '
                    f'image-level labels: {name_some(ids)}. Label them or '
                    'take them off the list'
                )
        count = len(self.METAINFO.get('classes') or self.metainfo['classes'])
        for image_id in names:
            outside = [c for c in table.labels[image_id] if c >= count]
            if outside:
                raise ValueError(
                    f'{source}: image {image_id!r} has class index '
                    f'{outside[0]}, allowed are 0 to {count - 1} (classes '
                    'are counted from 0, background is none)'
                )
        if self.label_map is None:
            return {i: table.labels[i] for i in names}
        return self._select_classes(names, table)

    def _without_empty(
        self, names: Mapping[str, str], table: LabelTable
    ) -> dict[str, str]:
        """Leave out images that are known to have no class."""
        kept = {i: n for i, n in names.items() if table.labels.get(i) != ()}
        if not kept:
            raise ValueError(
                f'{self.labels or self.ann_file}: no listed image has a class'
            )
        print_log(
            f'{type(self).__name__}: {len(names) - len(kept)} of {len(names)} '
            'images have no class and are left out (filter_empty_gt)',
            'current',
        )
        return kept

    def _select_classes(
        self, names: Mapping[str, str], table: LabelTable
    ) -> dict[str, tuple[int, ...]]:
        """Keep the images and labels of the classes chosen in metainfo."""
        kept = {}
        for image_id in names:
            mapped = [self.label_map[c] for c in table.labels[image_id]]
            chosen = tuple(sorted(c for c in mapped if c != 255))
            if chosen:
                kept[image_id] = chosen
        if not kept:
            raise ValueError(
                f'no listed image has any of the classes '
                f'{self.metainfo["classes"]}'
            )
        if len(kept) < len(names):
            print_log(
                f'{type(self).__name__}: {len(names) - len(kept)} of '
                f'{len(names)} images have none of the chosen classes and '
                'are left out',
                'current',
            )
        return kept

    def _image_path(self, name: str, image_id: str) -> str:
        """Path of an image: as listed if it exists so, else by its id."""
        folder = self.data_prefix['img_path']
        plain = osp.join(folder, image_id + self.img_suffix)
        if name == image_id or '..' in name.split('/'):
            return plain
        listed = osp.join(folder, name.lstrip('/'))
        for path in (listed, listed + self.img_suffix):
            if osp.isfile(path):
                return path
        return plain

    def _inspect(self, paths: Mapping[str, str]) -> dict[str, tuple[int, int]]:
        """Height and width of each image; refuse absent and broken ones."""
        if not self.check_images:
            return {}
        return inspect_images(paths)

    def _data_info(
        self,
        image_id: str,
        path: str,
        classes: tuple[int, ...] | None,
        sizes: Mapping[str, tuple[int, int]],
    ) -> dict:
        info = {
            'img_path': path,
            'image_id': image_id,
            'label_map': self._mask_label_map,
            'reduce_zero_label': False,
            'seg_fields': [],
        }
        if classes is not None:
            label = np.zeros(len(self.metainfo['classes']), np.uint8)
            label[list(classes)] = 1
            info['gt_label'] = label
        if image_id in sizes:
            height, width = sizes[image_id]
            info['height'], info['width'] = height, width
            info['input_size'] = self._input_size(height, width)
        masks = self.data_prefix.get('seg_map_path')
        if masks:
            mask = osp.join(masks, image_id + self.seg_map_suffix)
            if osp.isfile(mask):
                info['seg_map_path'] = mask
        return info

    @property
    def _mask_label_map(self) -> dict[int, int] | None:
        """Mask values to the selected classes: class c has value c + 1."""
        if self.label_map is None:
            return None
        chosen = {
            old + 1: 255 if new == 255 else new + 1
            for old, new in self.label_map.items()
        }
        return {0: 0, **chosen}

    def _input_size(self, height: int, width: int) -> tuple[int, int]:
        """Size of an image after the resizes of the pipeline."""
        size = (height, width)
        if size not in self._input_sizes:
            self._input_sizes[size] = self._run_resizes(height, width)
        return self._input_sizes[size]

    def _run_resizes(self, height: int, width: int) -> tuple[int, int]:
        size = (height, width)
        for transform in self.pipeline.transforms:
            if isinstance(transform, RESIZES):
                size = resized(transform, size)
        return size


def _listed_id(name: str, where: str) -> str:
    try:
        return check_image_id(image_stem(name))
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from error


def _read_lines(path: str) -> Iterator[tuple[int, list[str]]]:
    """Number and words of each line; `#` at the start of a word ends it."""
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = list(takewhile(lambda w: not w.startswith('#'), line.split()))
        if words:
            yield number, words
