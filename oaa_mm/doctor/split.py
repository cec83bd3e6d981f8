"""One part of a data set, as it is described and as it was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oaa_mm.datasets import find_by_id
from oaa_mm.io import image_id_of
from oaa_mm.tags import LabelTable, read_labels

from .findings import Finding
from .probe import Probe, probe_files


@dataclass(frozen=True)
class Split:
    """Where the files of a training or validation set are.

    Args:
        name (str): What messages call it, e.g. ``'train'``.
        list_file (Path, optional): One image a line; words after its name are
            its classes where there are no other `labels`. None takes all
            images that have labels, or all of `img_dir`.
        img_dir (Path): Folder of the images.
        needs (frozenset[str]): What must be complete, some of ``'labels'``,
            ``'masks'`` and ``'saliency'``: what else is absent is only worth
            an information. Defaults to nothing.
        mask_dir (Path, optional): Folder of the masks; None checks none.
        saliency_dir (Path, optional): Folder of the saliency maps; None
            checks none.
        labels (Path, optional): Labels of any form that
            :func:`oaa_mm.tags.read_labels` reads. Defaults to `list_file`.
        labels_format (str, optional): Form of `labels`. Defaults to what its
            suffix says.
        img_suffix (str): Defaults to ``'.jpg'``.
        mask_suffix (str): Of masks and saliency maps. Defaults to ``'.png'``.
    """

    name: str
    list_file: Path | None
    img_dir: Path
    needs: frozenset[str] = frozenset()
    mask_dir: Path | None = None
    saliency_dir: Path | None = None
    labels: Path | None = None
    labels_format: str | None = None
    img_suffix: str = '.jpg'
    mask_suffix: str = '.png'


@dataclass(frozen=True)
class SplitData:
    """What was found of a split; all that the checks look at.

    Args:
        name (str): What messages call the split.
        ids (list[str]): Image ids in the order of the list, each as often as
            it stands there.
        labels (Mapping[str, tuple[int, ...]] | None): Image id -> 0-based
            class indices; None where there are no labels.
        classes (tuple[str, ...] | None): Class names, where known.
        images (Mapping[str, Probe]): Image id -> image file.
        masks (Mapping[str, Probe] | None): The same for masks; None where
            there is no folder to check.
        saliency (Mapping[str, Probe] | None): The same for saliency maps.
        needs (frozenset[str]): See :class:`Split`.
        findings (list[Finding]): What went wrong while reading.
    """

    name: str
    ids: list[str]
    labels: Mapping[str, tuple[int, ...]] | None = None
    classes: tuple[str, ...] | None = None
    images: Mapping[str, Probe] = field(default_factory=dict)
    masks: Mapping[str, Probe] | None = None
    saliency: Mapping[str, Probe] | None = None
    needs: frozenset[str] = frozenset()
    findings: list[Finding] = field(default_factory=list)


def _read_lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8 text: {error}') from error
    lines = (line.partition('#')[0].split() for line in text.splitlines())
    return [words for words in lines if words]


def read_image_list(path: Path) -> list[str]:
    """Names of the images in a list file, each as often as it stands there.

    Args:
        path (Path): Text file; the first word of a line is the image's name,
            with or without folder and suffix. Blank lines and comments
            (``#``) are skipped.

    Returns:
        list[str]: The names in the order of the lines.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not UTF-8 text.
    """
    return [words[0] for words in _read_lines(path)]


def _check_paths(split: Split) -> list[Finding]:
    """The list and the image folder, without which nothing is checked."""
    findings = []
    if split.list_file is not None and not split.list_file.is_file():
        message = f'{split.name}: the list {split.list_file} does not exist'
        findings.append(Finding('error', 'list', message))
    if not split.img_dir.is_dir():
        message = f'{split.name}: there is no image folder {split.img_dir}'
        findings.append(Finding('error', 'images', message))
    return findings


def _holds_labels(path: Path) -> bool:
    """Whether a list file says anything beside the images' names."""
    return any(
        word.isdigit() for words in _read_lines(path) for word in words[1:]
    )


def _read_table(
    split: Split, classes: Sequence[str] | None
) -> LabelTable | None:
    source, form = split.labels, split.labels_format
    if source is None:
        list_file = split.list_file
        if list_file is None or not _holds_labels(list_file):
            return None
        source, form = list_file, 'list'
    try:
        return read_labels(source, format=form, classes=classes)
    except ValueError as error:
        # Without names an index out of range is no longer an error of the
        # reader, so that the check of labels can list all of them.
        try:
            table = read_labels(source, format=form)
        except ValueError:
            raise error from None
        if table.classes is not None:
            raise
        return table


def _load_labels(
    split: Split, classes: Sequence[str] | None
) -> tuple[LabelTable | None, list[Finding]]:
    try:
        return _read_table(split, classes), []
    except (OSError, ValueError) as error:
        message = f'{split.name}: the labels cannot be read: {error}'
        return None, [Finding('error', 'labels', message)]


def _load_names(
    split: Split, table: LabelTable | None
) -> tuple[list[str], list[Finding]]:
    """Names in the list; without one, all labelled images, or just all."""
    if split.list_file is None:
        if table is not None:
            return sorted(table.labels), []
        files = split.img_dir.glob(f'*{split.img_suffix}')
        return sorted(file.name for file in files), []
    try:
        return read_image_list(split.list_file), []
    except ValueError as error:
        return [], [Finding('error', 'list', f'{split.name}: {error}')]


def _image_path(split: Split, name: str) -> Path:
    """As listed, if there is such a file, else by its id.

    This is where :class:`~oaa_mm.datasets.ImageLevelDataset` looks, too.
    """
    image_id = image_id_of(name)
    if name != image_id and '..' not in name.split('/'):
        listed = split.img_dir / name.lstrip('/')
        for path in (listed, Path(f'{listed}{split.img_suffix}')):
            if path.is_file():
                return path
    return split.img_dir / f'{image_id}{split.img_suffix}'


def _existing(
    folder: Path, image_ids: Sequence[str], suffix: str
) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return find_by_id(folder, image_ids, suffix, allow_missing=True)


def _paths(split: Split, names: Sequence[str]) -> dict[str, dict[str, Path]]:
    """Kind of file -> image id -> path, for the kinds there are to check."""
    images: dict[str, Path] = {}
    for name in dict.fromkeys(names):
        images.setdefault(image_id_of(name), _image_path(split, name))
    paths = {'image': images}
    folders = {'mask': split.mask_dir, 'saliency': split.saliency_dir}
    for kind, folder in folders.items():
        if folder is not None:
            there = _existing(folder, images, split.mask_suffix)
            paths[kind] = {
                i: Path(there.get(i, folder / f'{i}{split.mask_suffix}'))
                for i in images
            }
    return paths


def load_split(
    split: Split,
    *,
    classes: Sequence[str] | None = None,
    workers: int = 4,
    progress: bool = False,
) -> SplitData:
    """Read every file of a split.

    Args:
        split (Split): Where the files are.
        classes (Sequence[str], optional): Class names. Defaults to those of
            the labels' source, if it has any.
        workers (int): Threads that read files. Defaults to 4.
        progress (bool): Show progress bars. Defaults to False.

    Returns:
        SplitData: What was found; unreadable lists and labels are among its
        findings.
    """
    table, findings = None, _check_paths(split)
    names: list[str] = []
    if not findings:
        table, label_findings = _load_labels(split, classes)
        names, list_findings = _load_names(split, table)
        findings = list_findings + label_findings
    probes = {}
    for kind, paths in _paths(split, names).items():
        title = f'{split.name}: {kind} files' if progress else None
        found = probe_files(
            list(paths.values()), kind, workers=workers, description=title
        )
        probes[kind] = dict(zip(paths, found, strict=True))
    classes = classes or (None if table is None else table.classes)
    return SplitData(
        split.name,
        [image_id_of(name) for name in names],
        labels=None if table is None else table.labels,
        classes=None if classes is None else tuple(classes),
        images=probes['image'],
        masks=probes.get('mask'),
        saliency=probes.get('saliency'),
        needs=split.needs,
        findings=findings,
    )
