"""Image-level labels: absent, empty, out of range, and against the masks."""

from collections import Counter
from collections.abc import Iterator

from oaa_mm.io import IGNORE_INDEX
from oaa_mm.tags import LabelTable, diff_labels
from oaa_mm.tags.select import labels_to_train_on, unlabelled
from oaa_mm.tags.table import NO_CLASSES, NO_LABELS, normalize_labels

from .findings import Finding, note_refusal
from .split import SplitData

#: Image id -> class indices.
Labels = dict[str, tuple[int, ...]]


def check_labels(data: SplitData) -> Iterator[Finding]:
    """Compare the image-level labels with the list and with the classes.

    Args:
        data (SplitData): The split.

    Yields:
        Finding: Errors where labels are needed and there are none, for
        listed images without entry and for indices out of range; warnings for
        classes that never occur; negatives and the statistics as information.
    """
    if not data.ids or any(f.check == 'labels' for f in data.findings):
        return
    labels = {i: data.labels[i] for i in data.ids if i in (data.labels or {})}
    if labels or (data.labels is not None and 'labels' in data.split.needs):
        yield from _find_faults(data, labels)
        yield from _describe(data, labels)
    elif 'labels' in data.split.needs:
        text = f'{data.split.list_file}: {NO_LABELS}'
        yield Finding('error', 'labels', text)
    else:
        yield Finding('info', 'labels', 'there are no image-level labels')


def _find_faults(data: SplitData, labels: Labels) -> Iterator[Finding]:
    ids, count = list(dict.fromkeys(data.ids)), len(data.classes or ())
    absent = [i for i in ids if i not in labels]
    yield Finding('error', 'labels', unlabelled(len(ids)), absent)
    text = '{n} images have no class; training takes them as negatives'
    if data.split.drops_empty:
        text = '{n} images have no class; training leaves them out'
    yield Finding('info', 'labels', text, [i for i in labels if not labels[i]])
    wrong: list[Finding] = []
    for image_id, classes in labels.items():
        with note_refusal(wrong, 'labels'):
            normalize_labels(image_id, classes, count or None)
    text = '{n} images have a class index out of range; correct the labels'
    yield Finding('error', 'labels', text, [f.message for f in wrong])
    if not count and 'classes' in data.split.needs:
        source = data.split.labels or data.split.list_file
        yield Finding('error', 'labels', f'{source}: {NO_CLASSES}')
    elif not count:
        text = (
            'class indices were not checked, because the number of classes '
            'is unknown; give --classes'
        )
        yield Finding('info', 'labels', text)
    if labels and not wrong:
        source = str(data.split.labels or data.split.list_file)
        table = LabelTable(labels, data.classes)
        with note_refusal(wrong, 'labels'):
            labels_to_train_on(table, list(labels), source)
        yield from wrong


def _describe(data: SplitData, labels: Labels) -> Iterator[Finding]:
    names = data.classes or ()
    counts = Counter(c for indices in labels.values() for c in indices)
    if 'labels' in data.split.needs:
        unseen = [name for c, name in enumerate(names) if not counts[c]]
        text = f'{{n}} of {len(names)} classes never occur; check their names'
        yield Finding('warning', 'labels', text, unseen)
    counts.update(dict.fromkeys(range(len(names)), 0))
    text = f'images per class: {_spread(data, counts)}'
    yield Finding('info', 'labels', text)
    sizes = Counter(len(indices) for indices in labels.values())
    spread = ', '.join(f'{n} with {k}' for k, n in sorted(sizes.items()))
    yield Finding('info', 'labels', f'labels per image: {spread}')


def check_agreement(data: SplitData) -> Iterator[Finding]:
    """Compare the classes in the masks with the image-level labels.

    Args:
        data (SplitData): The split.

    Yields:
        Finding: A warning, if images have classes that only their mask or
        only their labels name.
    """
    seen = {
        image_id: tuple(v - 1 for v in mask.values if 0 < v < IGNORE_INDEX)
        for image_id, mask in data.files.get('masks', {}).items()
        if mask.usable
    }
    diff = diff_labels(LabelTable(seen), LabelTable(data.labels or {}))
    items = []
    for image_id, (in_mask, in_labels) in diff.changed.items():
        signs = [f'+{_class_name(data, c)}' for c in in_mask]
        signs += [f'-{_class_name(data, c)}' for c in in_labels]
        items.append(' '.join([image_id, *signs]))
    only = [{c: n[k] for c, n in diff.counts.items() if n[k]} for k in (0, 1)]
    text = (
        '{n} masks disagree with the image-level labels; only in masks (+): '
        f'{_spread(data, only[0])}; only in labels (-): '
        f'{_spread(data, only[1])}; correct those that are wrong'
    )
    yield Finding('warning', 'masks', text, items)


def _spread(data: SplitData, counts: dict[int, int]) -> str:
    pairs = sorted(counts.items())
    text = ', '.join(f'{_class_name(data, c)} {n}' for c, n in pairs)
    return text or 'none'


def _class_name(data: SplitData, index: int) -> str:
    """Name of a class, or its number where it has none."""
    known = 0 <= index < len(data.classes or ())
    return data.classes[index] if known else f'class {index}'
