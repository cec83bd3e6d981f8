"""One reader for the lists of all toolkits."""

import pytest

from oaa_mm.tags.image_list import read_image_list


@pytest.fixture
def read(tmp_path):
    def read_text(text, **options):
        path = tmp_path / 'list.txt'
        path.write_bytes(text.encode())
        return [tuple(i) for i in read_image_list(path, **options)]

    return read_text


@pytest.mark.parametrize(
    ('line', 'image_id', 'tags'),
    [
        ('2007_000032 7 14', '2007_000032', (7, 14)),
        ('2007_000032.jpg 7 14', '2007_000032', (7, 14)),
        ('2007_000032\t7  14 # two', '2007_000032', (7, 14)),
        ('2007_000032', '2007_000032', ()),
        ('a\\b\\000.png 1', 'a/b/000', (1,)),
        ('/JPEGImages/x.jpg /SegmentationClassAug/x.png', 'x', ()),
        ('img/x.jpg masks/x.png', 'img/x', ()),
        ('benign (1).png', 'benign (1)', ()),
        ('cat 0.jpg 3', 'cat 0', (3,)),
        ('1031280-2300-27920-[1 0 0 1].png 1', '1031280-2300-27920-[1 0 0 1]',
         (1,)),
        ('scan#1.TIF 2', 'scan#1', (2,)),
        ('photo #3.jpg 2', 'photo #3', (2,)),
        ('a 1 # see b.jpg', 'a', (1,)),
        ('Screenshot 9.41.00\u202fAM.png 0', 'Screenshot 9.41.00\u202fAM',
         (0,)),
        ('写真\u30001.jpg', '写真\u30001', ()),
        ('a\u00a0b 4', 'a\u00a0b', (4,)),
        ('👩\u200d🌾.png 0', '👩\u200d🌾', (0,)),
        ('v1.2_x', 'v1.2_x', ()),
    ],
)  # fmt: skip
def test_lines(read, line, image_id, tags):
    ((found, _, classes),) = read(line, tags=True)
    assert (found, classes) == (image_id, tags)
    ((found, _, classes),) = read(line)
    assert (found, classes) == (image_id, None)


def test_what_is_skipped(read):
    text = '\ufeff# a comment\r\n\r\n  \r\na\r\n#b\r\n  c  \r\n'
    assert read(text) == [('a', 'a', None), ('c', 'c', None)]


def test_names_with_blanks_and_no_suffix(read):
    assert read('my photo\nother 1\n') == [
        ('my photo', 'my photo', None),
        ('other', 'other 1'[:5], None),
    ]
    with pytest.raises(ValueError, match=r"line 1: 'photo' is not a class"):
        read('my photo\n', tags=True)
    assert read('my photo 1\n', tags=True, known={'my photo'}) == [
        ('my photo', 'my photo', (1,))
    ]


def test_the_image_that_exists_is_meant(read):
    line = 'cat 0'
    assert read(line, tags=True, known={'cat'}) == [('cat', 'cat', (0,))]
    assert read(line, tags=True, known={'cat 0'}) == [('cat 0', 'cat 0', ())]
    with pytest.raises(
        ValueError, match=r"line 1: 'cat 0' can be read in two ways, .*'cat 0'"
    ):
        read(line, known={'cat', 'cat 0'})
    assert read('#1.jpg', known={'#1'}) == [('#1', '#1.jpg', None)]
    assert read('a #1.jpg', known={'a #1'}) == [('a #1', 'a #1.jpg', None)]
    assert read('a #1.jpg', known={'a'}) == [('a', 'a', None)]


def test_folders_that_exist_belong_to_the_id(read):
    known = {'a/000', 'b/000', '001'}
    text = 'a/000.jpg\nimages/b/000.jpg\n../x/001\nc/002\n'
    ids = [image_id for image_id, _, _ in read(text, known=known)]
    assert ids == ['a/000', 'b/000', '001', 'c/002']


def test_suffix_of_a_data_set(read):
    assert read('7_sat.jpg\n8\n', suffix='_sat.jpg') == [
        ('7', '7_sat.jpg', None),
        ('8', '8', None),
    ]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'the list names no image'),
        ('# a\n', 'the list names no image'),
        ('a\nb\na.jpg\nb\n', '2 images are listed more than once: a, b;'),
        ('a\n..\n', 'line 2: image id .* cannot be the stem'),
        ('a\x1bb\n', 'line 1: image id .* cannot be the stem'),
    ],
)
def test_lists_that_do_not_fit(read, text, message):
    with pytest.raises(ValueError, match=rf'list\.txt.*{message}'):
        read(text)


def test_lists_that_are_no_lists(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone\.txt does not exist'):
        read_image_list(tmp_path / 'gone.txt')
    with pytest.raises(ValueError, match='is a folder'):
        read_image_list(tmp_path)
    path = tmp_path / 'list.txt'
    path.write_bytes(b'\xff\xd8\xff')
    with pytest.raises(ValueError, match=r'list\.txt is not UTF-8'):
        read_image_list(path)
