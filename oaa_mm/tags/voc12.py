"""Files of VOC 2012's archive that replace files made from it later.

The archive as it is downloaded lacks ``train_aug.txt``, ``train_cls.txt`` and
``val_cls.txt``, which are lists that others made, and SBD's masks in
``SegmentationClassAug``. The ids of `train_aug` come with this package.
"""

import os.path as osp

#: The ids of the 10,582 images of VOC and SBD, one a line.
TRAIN_AUG = osp.join(osp.dirname(__file__), 'voc12_train_aug.txt.gz')
#: VOC's own masks, of some images only, and those of nearly all made of SBD.
OWN_MASKS, SBD_MASKS = 'SegmentationClass', 'SegmentationClassAug'
_IDS = {'train_cls.txt': 'train_aug.txt', 'val_cls.txt': 'val.txt'}


def voc12_list(path: str) -> str:
    """A list of images, or the one that names the same images.

    Args:
        path (str): ``train_aug.txt``, ``train_cls.txt``, ``val_cls.txt`` or
            any other list.

    Returns:
        str: `path` where it exists, or where nothing else has its ids.
    """
    folder, name = osp.split(path)
    ids = osp.join(folder, _IDS.get(name, name))
    shipped = TRAIN_AUG if ids.endswith('train_aug.txt') else path
    return next(filter(osp.isfile, (path, ids, shipped)), path)


def voc12_masks(folder: str) -> str:
    """A folder of masks, or VOC's own where those of SBD are absent.

    Args:
        folder (str): ``SegmentationClassAug`` or any other folder.

    Returns:
        str: ``SegmentationClass`` in the same folder, if only this exists.
    """
    parent, name = osp.split(osp.normpath(folder))
    own = osp.join(parent, OWN_MASKS)
    if name != SBD_MASKS or osp.isdir(folder):
        return folder
    return own if osp.isdir(own) else folder


def find_voc12(
    root: str, ann_file: str | None, labels: str | None, masks: str | None
) -> tuple[str | None, str | None, str | None, tuple[str, ...]]:
    """Find the list, tags and masks of a data set of VOC.

    Args:
        root (str): Folder with ``Annotations``.
        ann_file (str | None): The list, maybe absent.
        labels (str | None): Source of the tags where it is not the list.
        masks (str | None): Folder of masks, maybe absent.

    Returns:
        tuple: The list, tags and masks that are there, an argument where
        nothing stands in for it; and sentences about the files that do.
    """
    notes = []
    ids = ann_file and voc12_list(ann_file)
    tags = labels or osp.join(root, 'Annotations')
    if ids != ann_file and osp.exists(tags):
        notes.append(
            f'{ann_file} does not exist: the images are those of {ids}, their '
            f'tags those of {tags}'
        )
        ann_file, labels = ids, tags
    if masks and (own := voc12_masks(masks)) != masks:
        notes.append(
            f'{masks} (masks of SBD) does not exist: an evaluation uses {own} '
            'and the images that have a mask there. Training needs no masks'
        )
        masks = own
    return ann_file, labels, masks, tuple(notes)
