"""Ids of images: the names of their files, with sub-folders."""

import pytest

from oaa_mm.io import check_image_id, image_id_of
from oaa_mm.io.ids import find_id, match_ids


@pytest.mark.parametrize(
    ('name', 'image_id'),
    [
        ('2007_000032.jpg', '2007_000032'),
        ('JPEGImages/2007_000032.jpg', 'JPEGImages/2007_000032'),
        ('/JPEGImages/2007_000032.jpg', '2007_000032'),
        ('a\\b\\x.PNG', 'a/b/x'),
        ('C:\\data\\x.png', 'x'),
        ('../elsewhere/x.png', 'x'),
        ('./x.png', 'x'),
        ('scan.v2', 'scan.v2'),
        ('scan.v2.jpeg', 'scan.v2'),
        ('plain', 'plain'),
        ('jpg', 'jpg'),
    ],
)
def test_id_of_a_name(name, image_id):
    assert image_id_of(name) == image_id


def test_id_of_a_name_with_the_suffix_of_a_data_set():
    assert image_id_of('a/100034_sat.JPG', '_sat.jpg') == 'a/100034'
    assert image_id_of('a/100034_mask.png', '_sat.jpg') == 'a/100034_mask'


@pytest.mark.parametrize(
    'image_id',
    ['a b', 'Ж-1.v2', '#1', 'a/000', 'shot 9.41.00\u202fAM', 'a\u00a0b',
     '写真\u30001', '👩\u200d🌾', 'benign (1)', '1-[1 0 0 1]', 'a:b'],
)  # fmt: skip
def test_ids_that_files_can_have(image_id):
    assert check_image_id(image_id) == image_id


@pytest.mark.parametrize(
    'image_id',
    ['', ' a', 'a ', '/a', 'a/', 'a//b', 'a\\b', '..', 'a..b', 'a/../b',
     '.a', 'a/.b', 'C:/a', 'a\0', 'a\nb', 'a\tb', 'a\u2028b', 'a\ud800',
     'a\uffff', 'a\u202eb', 'é' * 150, 7, None],
)  # fmt: skip
def test_ids_that_lead_elsewhere(image_id):
    with pytest.raises(ValueError, match=r'image id .* cannot be the stem'):
        check_image_id(image_id)


def test_known_ids_keep_their_folders():
    known = {'a/000', '001'}
    assert find_id('a/000.jpg', known) == 'a/000'
    assert find_id('/img/a/000.jpg', known) == 'a/000'
    assert find_id('a/001.jpg', known) == '001'
    assert find_id('../../001', known) == '001'
    assert find_id('000', known) is None


def test_matching_where_one_side_has_the_folders():
    assert match_ids(['a', 'x/b', 'c'], ['a', 'b', 'y/c', 'd'], 'w') == {
        'a': 'a',
        'x/b': 'b',
        'c': 'y/c',
    }
    assert match_ids(['x/a', 'y/a'], ['y/a', 'x/a'], 'w') == {
        'x/a': 'x/a',
        'y/a': 'y/a',
    }
    for wanted, known in (
        (['a'], ['x/a', 'y/a']),
        (['x/a', 'y/a'], ['a']),
    ):
        with pytest.raises(ValueError, match=r'w: it is not clear .*sub-fold'):
            match_ids(wanted, known, 'w')
