"""What the archive of VOC 2012 has in place of files made of it."""

import gzip

import pytest

from oaa_mm.tags import read_image_list
from oaa_mm.tags.voc12 import TRAIN_AUG, find_voc12, voc12_list, voc12_masks


def test_the_ids_of_train_aug_come_along():
    ids = [image.image_id for image in read_image_list(TRAIN_AUG)]
    assert len(set(ids)) == len(ids) == 10582
    assert ids == sorted(ids)
    assert ids[0] == '2007_000032'  # of VOC's train.txt
    assert '2008_000002' in ids  # of SBD alone
    assert '2007_000033' not in ids  # of VOC's val.txt


@pytest.mark.parametrize(
    ('name', 'there', 'found'),
    [
        ('train_cls.txt', ['train_cls.txt', 'train_aug.txt'], 'train_cls.txt'),
        ('train_cls.txt', ['train_aug.txt', 'train.txt'], 'train_aug.txt'),
        ('train_cls.txt', ['train.txt'], TRAIN_AUG),
        ('train_aug.txt', [], TRAIN_AUG),
        ('val_cls.txt', ['val.txt'], 'val.txt'),
        ('val_cls.txt', [], 'val_cls.txt'),
        ('mine.txt', ['train_aug.txt', 'val.txt'], 'mine.txt'),
    ],
)
def test_lists_of_the_same_images(tmp_path, name, there, found):
    for other in there:
        (tmp_path / other).touch()
    assert voc12_list(str(tmp_path / name)) == str(tmp_path / found)


@pytest.mark.parametrize(
    ('name', 'there', 'found'),
    [
        ('SegmentationClassAug', ['SegmentationClass'], 'SegmentationClass'),
        ('SegmentationClassAug', [], 'SegmentationClassAug'),
        ('masks', ['SegmentationClass'], 'masks'),
        (
            'SegmentationClassAug',
            ['SegmentationClass', 'SegmentationClassAug'],
            'SegmentationClassAug',
        ),
    ],
)
def test_folders_of_masks(tmp_path, name, there, found):
    for other in there:
        (tmp_path / other).mkdir()
    assert voc12_masks(f'{tmp_path / name}/') in (
        str(tmp_path / found),
        f'{tmp_path / found}/',
    )


def test_nothing_stands_in_without_annotations(tmp_path):
    absent = str(tmp_path / 'train_cls.txt')
    files = find_voc12(str(tmp_path), absent, None, None)
    assert files == (absent, None, None, ())


def test_given_tags_stay(tmp_path):
    tags = tmp_path / 'cls_labels.npy'
    tags.touch()
    absent = str(tmp_path / 'train_aug.txt')
    files = find_voc12(str(tmp_path), absent, str(tags), None)
    assert files[:3] == (TRAIN_AUG, str(tags), None)
    assert 'train_aug.txt does not exist' in files[3][0]


def test_compressed_lists(tmp_path):
    path = tmp_path / 'list.txt.gz'
    content = gzip.compress(b'a 0\nb 1\n')
    path.write_bytes(content)
    listed = read_image_list(path, tags=True)
    assert listed == [('a', 'a', (0,)), ('b', 'b', (1,))]
    for broken in (
        content[:-6],
        b'a 0\n',
        content[:14] + b'xx' + content[16:],
    ):
        path.write_bytes(broken)
        with pytest.raises(
            ValueError, match=r'list\.txt\.gz is not UTF-8 text'
        ):
            read_image_list(path)
