"""The checks alone, on records written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from oaa_mm.doctor import check_files as files_checks
from oaa_mm.doctor import check_labels as labels_checks
from oaa_mm.doctor.files import FileFacts
from oaa_mm.doctor.findings import Finding, name_split, sort_findings
from oaa_mm.doctor.split import Split, SplitData

WEAK = frozenset({'labels', 'saliency'})
CLASSES = ('cat', 'dog', 'cow')


def image(name='a', size=(40, 60), mode='RGB', **other):
    other.setdefault('digest', name)
    return FileFacts(f'{name}.jpg', size=size, mode=mode, **other)


def mask(name='a', values=(0,), size=(40, 60), mode='P', **other):
    values = tuple(values)
    return FileFacts(
        f'{name}.png', size=size, mode=mode, values=values, **other
    )


def split(name='train', needs=WEAK, ids=('a', 'b'), **fields):
    files = {'images': {i: image(i) for i in ids}}
    for kind in ('images', 'masks', 'saliency'):
        if kind in fields:
            files[kind] = fields.pop(kind)
    where = Split(name, None, Path('images'), needs)
    return SplitData(where, list(ids), files=files, **fields)


def named(check):
    """A check whose findings are as users read them."""
    return lambda *data: name_split(
        check(*data), ' and '.join(one.split.name for one in data)
    )


check_agreement = named(labels_checks.check_agreement)
check_copies = named(files_checks.check_copies)
check_files = named(files_checks.check_files)
check_labels = named(labels_checks.check_labels)
check_list = named(files_checks.check_list)
check_overlap = named(files_checks.check_overlap)


def files_of(data, kind):
    return [f for f in check_files(data) if f.check == kind]


def brief(findings, *, info=False):
    """(severity, message) of the findings, without information."""
    return [
        (f.severity, f.message)
        for f in findings
        if info or f.severity != 'info'
    ]


def the_only(findings, severity):
    chosen = [f for f in findings if f.severity == severity]
    assert len(chosen) == 1, chosen
    return chosen[0]


class TestFinding:
    def test_sorted_from_the_worst_and_stable(self):
        findings = [
            Finding('info', 'a', ''),
            Finding('error', 'b', ''),
            Finding('warning', 'c', ''),
            Finding('error', 'd', ''),
        ]
        assert [f.check for f in sort_findings(findings)] == list('bdca')


class TestList:
    def test_good(self):
        data = split(masks={'a': mask(), 'b': FileFacts('b', missing=True)})
        assert brief(check_list(data), info=True) == [
            ('info', 'train: 2 images listed; found 2 images, 1 masks')
        ]

    def test_empty(self):
        assert brief(check_list(split(ids=()))) == [
            (
                'error',
                'train: no image is listed; list one a line, or give labels',
            )
        ]


class TestOverlap:
    def test_separate_sets(self):
        assert not check_overlap(split(), split('val', ids=('c',)))

    def test_shared_id_is_reported_once(self):
        found = check_overlap(split(), split('val', ids=('b', 'c')))
        assert [f.items for f in found] == [('b',)]
        assert found[0].severity == 'error'

    def test_unreadable_files_are_no_copies(self):
        gone = {
            'a': FileFacts('a.jpg', missing=True),
            'b': FileFacts('b.jpg', error='b.jpg: broken'),
        }
        other = {'c': FileFacts('c.jpg', missing=True)}
        train = split(images=gone)
        assert not check_overlap(train, split('val', ids='c', images=other))
        assert not check_copies(train)

    def test_copies_within_one_set(self):
        data = split(images={'a': image('a'), 'b': image('b', digest='a')})
        found = the_only(check_copies(data), 'warning')
        assert found.items == ('a = b',)


class TestImages:
    def test_good(self):
        assert not files_of(split(), 'images')

    @pytest.mark.parametrize(
        ('file', 'severity', 'message', 'item'),
        [
            (
                FileFacts('b.jpg', missing=True),
                'error',
                '1 of 2 listed images do not exist. Check the folder of the '
                'images (`data_root` and `data_prefix.img_path` of a data '
                'set) and their suffix (`img_suffix`)',
                'b.jpg',
            ),
            (
                FileFacts('b.jpg', error='b.jpg: cut off'),
                'error',
                '1 of 2 images cannot be used. Replace these files, or take '
                'the images off the list',
                'b.jpg: cut off',
            ),
            (
                image('b', mode='CMYK'),
                'info',
                '1 images are CMYK; they are converted to RGB',
                'b.jpg',
            ),
        ],
    )
    def test_one_problem(self, file, severity, message, item):
        data = split(images={'a': image(), 'b': file})
        assert files_of(data, 'images') == [
            Finding(severity, 'images', f'train: {message}', (item,))
        ]

    def test_exif_rotation(self):
        data = split(images={'a': image(), 'b': image('b', rotated=True)})
        found = the_only(files_of(data, 'images'), 'warning')
        assert found.items == ('b.jpg',)


class TestLabels:
    def test_good(self):
        labels = {'a': (0, 2), 'b': (1,), 'unlisted': (2,)}
        findings = check_labels(split(labels=labels, classes=CLASSES))
        # The image that is not listed does not count.
        assert brief(findings, info=True) == [
            ('info', 'train: images per class: cat 1, dog 1, cow 1'),
            ('info', 'train: labels per image: 1 with 1, 1 with 2'),
        ]

    def test_absent_entry_empty_entry_and_index_out_of_range(self):
        data = split(ids='abc', labels={'a': (1, 3), 'b': ()}, classes=CLASSES)
        findings = check_labels(data)
        assert [f.items for f in findings if f.severity == 'error'] == [
            ('c',),
            (
                "image 'a': class index 3 is out of range; there are 3 "
                'classes, 0 to 2',
            ),
        ]
        assert (findings[1].severity, findings[1].items) == ('info', ('b',))
        assert 'negatives' in findings[1].message

    def test_classes_that_never_occur(self):
        data = split(labels={'a': (1,), 'b': (1,)}, classes=CLASSES)
        found = the_only(check_labels(data), 'warning')
        assert found.items == ('cat', 'cow')

    def test_unknown_number_of_classes(self):
        data = split(labels={'a': (7,), 'b': (1,)})
        messages = [m for _, m in brief(check_labels(data), info=True)]
        assert 'give --classes' in messages[0]
        assert messages[1] == 'train: images per class: class 1 1, class 7 1'

    def test_no_labels_at_all(self):
        assert the_only(check_labels(split()), 'error')
        weak = the_only(check_labels(split(needs=frozenset())), 'info')
        assert weak.message == 'train: there are no image-level labels'

    def test_labels_of_other_images_only(self):
        labels = {'elsewhere': (0,)}
        val = split('val', frozenset({'masks'}), labels=labels)
        assert the_only(check_labels(val), 'info')
        train = split(labels=labels, classes=('cat',))
        assert the_only(check_labels(train), 'error').items == ('a', 'b')

    def test_silent_where_labels_could_not_be_read(self):
        known = [Finding('error', 'labels', 'broken')]
        assert not check_labels(split(findings=known))


class TestMasks:
    def run(self, masks, **fields):
        fields.setdefault('labels', {'a': (0,), 'b': (1, 2)})
        fields.setdefault('classes', CLASSES)
        data = split(masks=dict(zip('ab', masks, strict=True)), **fields)
        return files_of(data, 'masks') + check_agreement(data)

    def test_good(self):
        good = [mask('a', [0, 1, 255]), mask('b', [2, 3], mode='L')]
        assert not self.run(good)

    def test_disagreement_with_labels(self):
        masks = [mask('a', [0, 1, 2]), mask('b', [0, 2])]
        found = the_only(self.run(masks), 'warning')
        assert found.items == ('a +dog', 'b -cow')
        assert 'in masks (+): dog 1; only in labels (-): cow 1' in (
            found.message
        )

    def test_other_size(self):
        masks = [mask('a', [1]), mask('b', [2, 3], size=(60, 40))]
        found = the_only(self.run(masks), 'error')
        assert found.items == (
            'b.png is 40x60 pixels, but its image b.jpg is 60x40; resize the '
            'masks to the images',
        )

    def test_unusable_masks_are_one_error_and_no_disagreement(self):
        masks = [mask('a', [1]), FileFacts('b.png', error='b.png holds RGB')]
        (found,) = self.run(masks)
        assert found.severity == 'error'
        assert found.items == ('b.png holds RGB',)

    def test_foreign_palette(self):
        masks = [mask('a', [1]), mask('b', [2, 3], voc_palette=False)]
        assert the_only(self.run(masks), 'warning').items == ('b.png',)

    @pytest.mark.parametrize(
        ('needs', 'severity'),
        [(WEAK, 'info'), (frozenset({'masks'}), 'error')],
    )
    def test_absent_mask(self, needs, severity):
        masks = [mask('a', [1]), FileFacts('b.png', missing=True)]
        findings = self.run(masks, needs=needs)
        assert the_only(findings, severity).items == ('b.png',)
        assert len(findings) == 1

    def test_blank_mask(self):
        masks = [mask('a', [255]), mask('b', [2, 3])]
        findings = self.run(masks, labels=None)
        assert the_only(findings, 'info').items == ('a.png',)

    def test_no_folder(self):
        assert the_only(files_of(split(), 'masks'), 'info').items == ()


class TestSaliency:
    def run(self, second, needs=WEAK):
        first = mask('a', [0, 128, 255], mode='L')
        data = split(saliency={'a': first, 'b': second}, needs=needs)
        return files_of(data, 'saliency')

    def test_good(self):
        assert not self.run(mask('b', [0, 1, 2], mode='L'))

    @pytest.mark.parametrize(
        ('file', 'severity', 'words'),
        [
            (FileFacts('b.png', missing=True), 'error', '1 of 2'),
            (FileFacts('b.png', error='b.png: cut'), 'error', 'cannot be'),
            (mask('b', [0, 9], size=(4, 6)), 'error', 'another size'),
            (mask('b', [0]), 'warning', 'zero everywhere'),
        ],
    )
    def test_one_problem(self, file, severity, words):
        findings = self.run(file)
        found = the_only(findings, severity)
        assert len(findings) == 1
        assert words in found.message
        assert found.items[0].startswith('b.png')

    def test_no_folder(self):
        assert the_only(files_of(split(), 'saliency'), 'info')
        assert not files_of(split(needs=frozenset({'masks'})), 'saliency')
