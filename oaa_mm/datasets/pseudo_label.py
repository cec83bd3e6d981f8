"""Images with pseudo-labels, for mmseg's segmentation networks."""

import os.path as osp
from collections.abc import Mapping
from typing import Any

from mmseg.datasets import BaseSegDataset

from oaa_mm.attention.record import DataRecord
from oaa_mm.io import ImageFolder, find_by_id
from oaa_mm.io.label_folder import LABELS, LIST, is_label_folder
from oaa_mm.registry import DATASETS
from oaa_mm.tags import read_image_list

from .entries import make_entries, voc_palette

_OPTION = 'train_dataloader.dataset'


@DATASETS.register_module()
class PseudoLabelDataset(BaseSegDataset):
    """Images and the labels that ``tools/make_pseudo_labels.py`` has made.

    The folder of labels says which images they are of, where these are, and
    which classes and colours there are, so it is all that has to be named.

    Args:
        pseudo_labels (str | None): The folder, with ``labels/``,
            ``train.txt`` and ``manifest.json``; relative to the working
            directory. Defaults to None: `data_prefix` names labels.
        img_dir (str | None): Folder of the images where they have been moved.
            Defaults to None: where the labels were made of them.
        ann_file (str): Another list of images. Defaults to ``''``: that of
            the folder.
        data_prefix (Mapping[str, str] | None): `img_path` and `seg_map_path`
            of :class:`mmseg.datasets.BaseSegDataset`. Where `seg_map_path` is
            given, it and `ann_file` are used as there, and `pseudo_labels` is
            not.
        metainfo (Mapping[str, Any] | None): `classes`, the background
            included, and `palette`, for labels that do not say theirs.
        **kwargs (Any): Further arguments of mmseg's BaseSegDataset.

    Raises:
        FileNotFoundError: The folder, its list, a label or an image is
            absent.
        ValueError: No labels are named, or the manifest is damaged.
    """

    def __init__(
        self,
        pseudo_labels: str | None = None,
        *,
        img_dir: str | None = None,
        ann_file: str = '',
        data_prefix: Mapping[str, str] | None = None,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        prefix, metainfo = dict(data_prefix or {}), dict(metainfo or {})
        self.img_dir = img_dir
        self.record: DataRecord | None = None
        if not prefix.get('seg_map_path'):
            folder = check_folder(pseudo_labels)
            self.record = DataRecord.of_labels(folder)
            prefix = {'img_path': '', 'seg_map_path': osp.join(folder, LABELS)}
            ann_file = ann_file or osp.join(folder, LIST)
            if self.record.classes:
                metainfo['classes'] = ['background', *self.record.classes]
                colors = self.record.palette
                metainfo['palette'] = [[0, 0, 0], *colors] if colors else []
        super().__init__(
            ann_file=ann_file, data_prefix=prefix, metainfo=metainfo, **kwargs
        )

    def _update_palette(self) -> list:
        """VOC's colours where none are given, as in the labels."""
        palette = voc_palette(self._metainfo, first=0)
        return super()._update_palette() if palette is None else palette

    def load_data_list(self) -> list[dict]:
        """Find the image and the label of each listed image.

        Returns:
            list[dict]: One entry an image, as mmseg's data sets have them.
        """
        if self.record is None:
            return super().load_data_list()
        labels = self.data_prefix['seg_map_path']
        known = ImageFolder(labels, '.png', strict=True)
        listed = read_image_list(self.ann_file, known=known)
        names = {image.image_id: image.name for image in listed}
        masks = find_by_id(labels, names, kind='labels')
        images = self.record.find_images(
            names, self.img_dir, names=names, option=f'{_OPTION}.img_dir'
        )
        return make_entries(
            images,
            masks,
            label_map=self.label_map,
            reduce_zero_label=self.reduce_zero_label,
        )


def check_folder(folder: str | None) -> str:
    """Refuse a folder that holds no finished labels.

    Args:
        folder (str | None): See `pseudo_labels` of the data set.

    Returns:
        str: Its absolute path.

    Raises:
        FileNotFoundError: It holds none; the message says what to name.
    """
    if folder is None or not is_label_folder(folder):
        raise FileNotFoundError(
            f'{folder} is not a folder that tools/make_pseudo_labels.py has '
            f'made. Name one with {_OPTION}.pseudo_labels, or labels of '
            'another kind with data_prefix.seg_map_path, data_prefix.img_path '
            'and ann_file'
        )
    if not osp.isfile(osp.join(folder, LIST)):
        raise FileNotFoundError(
            f'{osp.join(folder, LIST)} is absent, so the labels are not all '
            'made yet; run the command that makes them again'
        )
    return osp.abspath(folder)
