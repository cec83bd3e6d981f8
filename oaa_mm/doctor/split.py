"""One part of a data set, as it is described and as it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from oaa_mm.attention.record import DataRecord
from oaa_mm.io import ImageFolder, find_by_id, find_images
from oaa_mm.io.ids import match_ids
from oaa_mm.tags import labels_of_set
from oaa_mm.tags.image_list import ListedImage, read_image_list

from .files import NOUNS, FileFacts, read_facts
from .findings import Finding, note_refusal


@dataclass(frozen=True)
class Split:
    """Where the files of a training or validation set are.

    Args:
        name (str): Its name in messages, e.g. ``'train'``.
        list_file (Path, optional): One image a line; words after its name are
            its classes where there are no other `labels`. None takes all
            images that have labels, or all of `img_dir`.
        img_dir (Path): Folder of the images.
        needs (frozenset[str]): The kinds of files that must be complete, some
            of ``'labels'``, ``'masks'`` and ``'saliency'``; absent files of
            other kinds are only reported as information. ``'classes'``: their
            names must be known. Defaults to none.
        mask_dir (Path, optional): Folder of the masks; None checks none.
        saliency_dir (Path, optional): Folder of the saliency maps; None
            checks none.
        labels (Path, optional): Labels of any form that
            :func:`oaa_mm.tags.read_labels` reads. Defaults to `list_file`.
        labels_format (str, optional): Form of `labels`. Defaults to that of
            its suffix.
        record (DataRecord | None): Tells where each image is, in place of
            `img_dir`. Defaults to None.
        img_suffix (str): Defaults to ``'.jpg'``.
        mask_suffix (str): Of masks and saliency maps. Defaults to ``'.png'``.
        binary_masks (bool): Whether 255 marks the only class in masks.
            Defaults to False.
        drops_empty (bool): Whether training leaves out images without class.
            Defaults to False.
        id_prefix (str): Prefix of the ids in a data set that is joined to
            others. Defaults to nothing.
        notes (tuple[str, ...]): Sentences about files that stand in for
            absent ones. Defaults to none.
    """

    name: str
    list_file: Path | None
    img_dir: Path
    needs: frozenset[str] = frozenset()
    mask_dir: Path | None = None
    saliency_dir: Path | None = None
    labels: Path | None = None
    labels_format: str | None = None
    record: DataRecord | None = None
    img_suffix: str = '.jpg'
    mask_suffix: str = '.png'
    binary_masks: bool = False
    drops_empty: bool = False
    id_prefix: str = ''
    notes: tuple[str, ...] = ()

    @property
    def use(self) -> str:
        """``'train'`` or ``'val'``, also of ``'train 2'``."""
        return self.name.split()[0]


@dataclass(frozen=True)
class SplitData:
    """A split as it was found; all that the checks look at.

    Args:
        split (Split): Where the files are.
        ids (list[str]): Image ids in the order of the list, each as often as
            it stands there.
        labels (Mapping[str, tuple[int, ...]] | None): Image id -> 0-based
            class indices; None where there are no labels.
        classes (tuple[str, ...] | None): Class names, where known.
        files (Mapping[str, Mapping[str, FileFacts]]): ``'images'``,
            ``'masks'`` and ``'saliency'``, where there is a folder to check
            -> image id -> file.
        findings (list[Finding]): Lists and labels that could not be read.
    """

    split: Split
    ids: list[str]
    labels: Mapping[str, tuple[int, ...]] | None = None
    classes: tuple[str, ...] | None = None
    files: Mapping[str, Mapping[str, FileFacts]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def load_split(
    split: Split, *, classes: Sequence[str] | None = None, workers: int = 4
) -> SplitData:
    """Read every file of a split.

    Args:
        split (Split): Where the files are.
        classes (Sequence[str], optional): Class names. Defaults to those of
            the labels' source, if it has any.
        workers (int): Threads that read files. Defaults to 4.

    Returns:
        SplitData: The split; unreadable lists and labels are among its
        findings.
    """
    findings: list[Finding] = []
    folder = listed = table = labels = None
    with note_refusal(findings, 'images'):
        folder = _known_images(split)
    with note_refusal(findings, 'list'):
        listed = split.list_file and read_image_list(
            split.list_file,
            tags=split.labels is None,
            known=folder,
            suffix=split.img_suffix,
            unique=False,
        )
    if findings:
        return SplitData(split, [], findings=findings)
    once = {image.image_id: image for image in listed or ()}
    with note_refusal(findings, 'labels'):
        # The range of the classes in a list is a check of its own.
        table = (listed or split.labels) and labels_of_set(
            list(once.values()),
            split.list_file,
            split.labels,
            needed=False,
            classes=classes if split.labels else None,
            format=split.labels_format,
            binary_masks=split.binary_masks,
            suffix=split.img_suffix,
        )
    if listed is None:
        listed = table and table.images()
        listed = listed or [ListedImage(i, i) for i in folder.all_ids()]
    names = {image.image_id: image.name for image in listed}
    if table:  # which is empty where no image has a label
        with note_refusal(findings, 'labels'):
            # By the ids of the list, which may have other folders.
            source = str(split.labels or split.list_file)
            meant = match_ids(names, table.labels, source)
            labels = {i: table.labels[entry] for i, entry in meant.items()}
    classes = tuple(classes or (table and table.classes) or ()) or None
    read = partial(
        read_facts,
        num_classes=None if classes is None else len(classes),
        binary_masks=split.binary_masks,
        workers=workers,
    )
    files = _find_files(split, folder, names, findings)
    return SplitData(
        split,
        [image.image_id for image in listed],
        labels=labels,
        classes=classes,
        files={kind: read(places, kind) for kind, places in files.items()},
        findings=findings,
    )


def _find_files(
    split: Split,
    folder: ImageFolder,
    names: Mapping[str, str],
    findings: list[Finding],
) -> dict[str, dict[str, FileFacts]]:
    """Where the files of each kind are, as far as there is a folder."""
    images = {i: _locate(split, folder, i, n) for i, n in names.items()}
    files = {'images': images}
    if split.record is None:
        found = [names[i] for i, file in images.items() if file.usable]
        with note_refusal(findings, 'images'):
            find_images(folder, found)  # two names may mean one file
    suffix = split.mask_suffix
    others = {'masks': split.mask_dir, 'saliency': split.saliency_dir}
    for kind, path in others.items():
        if path is None or not (kind in split.needs or path.is_dir()):
            continue
        files[kind] = {}
        with note_refusal(findings, kind):
            found = find_by_id(
                path, names, suffix, kind=NOUNS[kind], allow_missing=True
            )
            for i in names:
                place = found.get(i, f'{path}/{i}{suffix}')
                files[kind][i] = FileFacts(place, missing=i not in found)
    return files


def _known_images(split: Split) -> ImageFolder:
    """Files whose ids are those of the images, for reading lists."""
    if split.record is None:
        return ImageFolder(split.img_dir, split.img_suffix)
    split.record.find_images((), option='train_dataloader.dataset.img_dir')
    return ImageFolder(split.mask_dir, split.mask_suffix, strict=True)


def _locate(
    split: Split, folder: ImageFolder, image_id: str, name: str
) -> FileFacts:
    if split.record is not None:
        return FileFacts(split.record.images.file_of(image_id))
    try:
        return FileFacts(folder.find(image_id, name))
    except FileNotFoundError:
        return FileFacts(folder.expected(image_id, name), missing=True)
    except ValueError as error:
        return FileFacts(image_id, error=str(error))
