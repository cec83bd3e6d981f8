"""Images, lists and tables of tags: the data set and the doctor agree."""

import json
import re
import subprocess
import sys
from unicodedata import normalize

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from odd_world import (
    CLASSES,
    COLORS,
    NAMES,
    attempt,
    check_agreement,
    doctor,
    holds,
    masks,
    paint,
    save,
    table,
    train,
    truth,
    warnings,
    write,
)
from PIL import Image

CASES = {}


def odd(*words):
    """Register a maker; `words` are what stage and doctor have to say."""

    def register(make):
        CASES[make.__name__] = make, words
        return make

    return register


def jpgs(*names):
    return holds(*(f'{name}.jpg' for name in names or NAMES))


@odd()
def tif_images_with_png_masks_of_one_stem(root):
    names = [f'{n}.tif' for n in NAMES]
    paint(root, *names)
    masks(root)
    return {'img_suffix': '.tif', 'labels': 'masks'}, holds(*names)


@odd()
def images_and_masks_in_one_folder(root):
    names = [f'{n}.tif' for n in NAMES]
    paint(root, *names)
    masks(root, folder='images')
    table(root, *NAMES)
    return {'img_suffix': '.tif'}, holds(*names)


@odd()
def suffixes_in_the_table_decide_between_two_files(root):
    names = [f'{n}.tif' for n in NAMES]
    paint(root, *names)
    masks(root, folder='images')
    table(root, *names)
    return {}, holds(*names)


@odd('000.JPG', '000.jpg', 'list it with its suffix')
def two_files_of_one_id(root):
    paint(root, '000.jpg', '000.JPG')
    table(root, '000')
    return {}, None


@odd()
def sub_folders_with_equal_names(root):
    paint(root, 'a/000.jpg', 'b/000.jpg', 'b/001.jpg')
    table(root, 'a/000', 'b/000', 'b/001')
    return {}, jpgs('a/000', 'b/000', 'b/001')


@odd()
def sub_folders_in_coco(root):
    paint(root, 'a/000.jpg', 'b/000.jpg')
    coco(root, ['a/000.jpg', 'b/000.jpg'], [1, 2])
    return {'labels': 'coco.json'}, jpgs('a/000', 'b/000')


@odd()
def sub_folders_of_xml(root):
    paint(root, 'a/000.jpg', 'b/000.jpg')
    for number, name in enumerate(('a/000', 'b/000')):
        xml(root, f'xml/{name}.xml', CLASSES[number])
    return {'labels': 'xml'}, jpgs('a/000', 'b/000')


@odd('000', 'name the sub-folders in both places')
def table_without_the_sub_folders_of_equal_names(root):
    paint(root, 'a/000.jpg', 'b/000.jpg')
    write(root, 'train.txt', 'a/000', 'b/000')
    table(root, '000')
    return {'ann_file': 'train.txt'}, None


@odd()
def table_without_the_sub_folders(root):
    paint(root, 'a/000.jpg', 'b/001.jpg')
    write(root, 'train.txt', 'a/000', 'b/001')
    table(root, '000', '001')
    return {'ann_file': 'train.txt'}, jpgs('a/000', 'b/001')


@odd()
def folders_of_another_machine(root):
    paint(root)
    names = [f'D:\\data\\photos\\{n}.jpg' for n in NAMES]
    table(root, *names)
    return {}, jpgs()


@odd()
def file_names_of_coco_with_a_folder_that_is_not_there(root):
    paint(root, '000.jpg', '001.jpg')
    coco(root, ['train2017/000.jpg', 'train2017/001.jpg'], [1, 2])
    return {'labels': 'coco.json'}, jpgs('000', '001')


@odd()
def list_of_windows(root):
    paint(root, 'a/000.jpg', 'a/001.jpg')
    lines = ['\ufeff# my list', 'a\\000 0', '', 'a\\001.jpg 1']
    write(root, 'train.txt', *lines, end='\r\n')
    return tagged(), jpgs('a/000', 'a/001')


@odd()
def list_of_the_authors(root):
    paint(root)
    lines = [f'{n}.jpg {k % 2}' for k, n in enumerate(NAMES)]
    write(root, 'train.txt', *lines)
    return tagged(), jpgs()


@odd()
def list_with_two_columns(root):
    paint(root, folder='JPEGImages')
    masks(root, folder='SegmentationClassAug')
    write(
        root,
        'train.txt',
        *(f'/JPEGImages/{n}.jpg /SegmentationClassAug/{n}.png' for n in NAMES),
    )
    return {
        'ann_file': 'train.txt',
        'labels': 'SegmentationClassAug',
        'data_prefix': {'img_path': 'JPEGImages'},
    }, holds(*(f'{n}.jpg' for n in NAMES), folder='JPEGImages')


@odd()
def blanks_and_brackets(root):
    names = ['1031280-2300-27920-[1 0 0 1]', 'benign (1)', 'cat 0', 'a #3']
    paint(root, *(f'{n}.png' for n in names))
    lines = [f'{n}.png {k % 2}' for k, n in enumerate(names)]
    write(root, 'train.txt', *lines)
    return tagged(), holds(*(f'{n}.png' for n in names))


@odd()
def blanks_without_suffix(root):
    names = ['benign (1)', 'cat 0']
    paint(root, *(f'{n}.jpg' for n in names))
    write(root, 'train.txt', 'benign (1) 0', 'cat 0 1')
    return tagged(), jpgs(*names)


@odd("'cat 0'", 'can be read in two ways', 'rename one of them')
def a_line_that_can_be_read_in_two_ways(root):
    paint(root, 'cat.jpg', 'cat 0.jpg')
    write(root, 'train.txt', 'cat 0')
    return tagged(), None


@odd()
def names_of_screenshots_and_emojis(root):
    names = ['Screen 9.41.07\u202fAM', 'a\u00a0b', 'a\u3000b', '👩\u200d🔬']
    paint(root, *(f'{n}.png' for n in names))
    table(root, *names)
    return {'img_suffix': '.png'}, holds(*(f'{n}.png' for n in names))


@odd()
def image_called_like_its_suffix(root):
    paint(root, 'jpg.jpg', 'png.jpg')
    masks(root, 'jpg.png', 'png.png')
    return {'labels': 'masks'}, jpgs('jpg', 'png')


@odd()
def suffix_in_capitals(root):
    paint(root, *(f'{n}.JPG' for n in NAMES))
    table(root, *NAMES)
    return {}, holds(*(f'{n}.JPG' for n in NAMES))


@odd()
def suffix_with_a_word(root):
    paint(root, *(f'{n}_sat.jpg' for n in NAMES))
    masks(root, *(f'{n}_mask.png' for n in NAMES), folder='images')
    table(root, *NAMES)
    found = {n: (f'images/{n}_sat.jpg', (k % 2,)) for k, n in enumerate(NAMES)}
    return {'img_suffix': '_sat.jpg'}, found


@odd()
def by_products_of_systems(root):
    paint(root)
    for name in ('._000.jpg', '.DS_Store', 'Thumbs.db', 'notes.txt'):
        (root / 'images' / name).write_bytes(b'\0')
    table(root, *NAMES)
    return {}, jpgs()


@odd()
def more_images_than_tags(root):
    paint(root)
    table(root, *NAMES[:2])
    return {}, jpgs(*NAMES[:2])


@odd()
def negatives_in_a_table(root):
    paint(root)
    write(root, 'tags.csv', 'image,labels', '000,cat', '001,', '002,', '003,')
    found = dict.fromkeys(NAMES, ()) | {'000': (0,)}
    return {}, {i: (f'images/{i}.jpg', c) for i, c in found.items()}


@odd()
def negatives_of_a_single_class(root):
    paint(root, 'polyp.jpg', 'normal.jpg')
    write(root, 'tags.csv', 'image,polyp', 'polyp.jpg,1', 'normal.jpg,0')
    found = {'polyp': (0,), 'normal': ()}
    meta = {'metainfo': {'classes': ('polyp',)}}
    return meta, {i: (f'images/{i}.jpg', c) for i, c in found.items()}


@odd()
def negatives_of_coco(root):
    paint(root, '000.jpg', '001.jpg')
    coco(root, ['000.jpg', '001.jpg'], [2])
    found = {'000': ('images/000.jpg', (1,)), '001': ('images/001.jpg', ())}
    return {'labels': 'coco.json'}, found


@odd()
def negatives_left_out(root):
    paint(root)
    write(root, 'train.txt', '000 0', '001', '002', '003 1')
    found = {'000': ('images/000.jpg', (0,)), '003': ('images/003.jpg', (1,))}
    return {**tagged(), 'filter_cfg': {'filter_empty_gt': True}}, found


@odd('tags.csv', 'no listed image has any of the classes', 'check the labels')
def negatives_alone(root):
    paint(root)
    write(root, 'tags.csv', 'image,cat,dog', *(f'{n},0,0' for n in NAMES))
    return {}, None


@odd('1 of 4 listed images have no entry', '003', 'take them off the list')
def image_that_the_table_does_not_know(root):
    paint(root)
    write(root, 'train.txt', *NAMES)
    table(root, *NAMES[:3])
    return {'ann_file': 'train.txt'}, None


@odd('tags.csv, line 1', "'background'", 'leave background out')
def background_as_a_class(root):
    paint(root)
    write(root, 'tags.csv', 'image,background,cat', '000,1,0', '001,0,1')
    return {'metainfo': None}, None


@odd('001.xml', "unknown class '__background__'", 'allowed are cat, dog')
def background_as_an_object(root):
    paint(root, '000.jpg', '001.jpg')
    xml(root, 'xml/000.xml', 'cat')
    xml(root, 'xml/001.xml', '__background__')
    return {'labels': 'xml'}, None


@odd()
def background_as_category_0(root):
    paint(root, '000.jpg', '001.jpg')
    coco(root, ['000.jpg', '001.jpg'], [1, 2], extra=('_background_',))
    return {'labels': 'coco.json'}, jpgs('000', '001')


@odd('coco.json', 'image 1 occurs twice')
def images_of_coco_with_one_id(root):
    paint(root, '000.jpg', '001.jpg')
    coco(root, ['000.jpg', '001.jpg'], [1], ids=(1, 1))
    return {'labels': 'coco.json'}, None


@odd(
    "train.txt, line 2: 'dog' is not a class index (a number from 0)",
)
def class_name_in_a_list(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'train.txt', '000 0', '001 dog')
    return tagged(), None


@odd('001', '2 classes, 0 to 1')
def class_index_counted_from_one(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'train.txt', '000 1', '001 2')
    return tagged(), None


@odd()
def numbers_of_irn(root):
    paint(root, '2007_000032.jpg', '2011_003271.jpg')
    rows = {2007000032: np.eye(2)[0], 2011003271: np.eye(2)[1]}
    np.save(root / 'cls_labels.npy', rows)
    return {'labels': 'cls_labels.npy'}, jpgs('2007_000032', '2011_003271')


@odd('cls_labels.npy: nothing names the classes', "classes=('cat', 'dog')")
def numbers_without_names_of_classes(root):
    paint(root, '2007_000032.jpg')
    np.save(root / 'cls_labels.npy', {2007000032: np.eye(2)[0]})
    return {'labels': 'cls_labels.npy', 'metainfo': {}}, None


@odd('train.txt: nothing names the classes', "classes=('cat', 'dog')")
def list_without_names_of_classes(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'train.txt', '000 0', '001 1')
    return {**tagged(), 'metainfo': {}}, None


@odd('tags.csv: the labels name no image')
def table_of_a_header_alone(root):
    paint(root)
    write(root, 'tags.csv', 'image,labels')
    return {}, None


@odd('images/001.png (there is 001.jpg)')
def listed_suffix_of_another_file(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'tags.csv', 'image,labels', '000.JPG,cat', '001.png,dog')
    return {}, None


@odd("image '001': class index 1 is out of range; the only class is 0")
def index_beyond_the_only_class(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'train.txt', '000 0', '001 1')
    return {**tagged(), 'metainfo': {'classes': ('cat',)}}, None


@odd('cls_labels.npy', 'the key 7 is a number', 'stems of the image files')
def numbers_of_irn_for_other_names(root):
    paint(root)
    np.save(root / 'cls_labels.npy', {7: np.eye(2)[0]})
    return {'labels': 'cls_labels.npy'}, None


@odd('cls_labels.npy', "'000' has an array of 3 classes, but 2 are expected")
def array_with_a_background(root):
    paint(root)
    np.save(root / 'cls_labels.npy', {'000': np.eye(3)[1]})
    return {'labels': 'cls_labels.npy'}, None


@odd()
def table_of_a_spreadsheet(root):
    paint(root)
    rows = [f'{n}.jpg,{CLASSES[k % 2]}' for k, n in enumerate(NAMES)]
    write(
        root, 'tags.csv', '\ufeffimage_name,tags', *rows, ',', ',', end='\r\n'
    )
    return {}, jpgs()


@odd('tags.csv, line 1', 'a header is needed', 'image;labels')
def table_with_semicolons(root):
    paint(root)
    write(root, 'tags.csv', 'image;labels', '000;cat')
    return {}, None


@odd("tags.csv, line 3: image '000' occurs twice; keep one")
def image_twice_in_a_table(root):
    paint(root)
    table(root, '000', '000.jpg')
    return {}, None


@odd('train.txt', 'there are no image-level labels', 'give `labels`')
def list_without_tags(root):
    paint(root)
    write(root, 'train.txt', *NAMES)
    return tagged(), None


@odd('1 of 4', '003.jpg', 'do not exist')
def absent_image(root):
    paint(root, *(f'{n}.jpg' for n in NAMES[:3]))
    table(root, *NAMES)
    return {}, None


@odd('000', 'listed more than once')
def image_twice_in_a_list(root):
    paint(root)
    write(root, 'train.txt', '000 0', '001 1', '/images/000.jpg 0')
    return tagged(), None


@odd('train.txt', 'UTF-8')
def list_in_another_encoding(root):
    paint(root)
    write(root, 'train.txt', '000 0', 'größe 1', encoding='latin-1')
    return tagged(), None


@odd('train.txt: the list names no image; it should hold one a line')
def list_of_comments(root):
    paint(root)
    write(root, 'train.txt', '# nothing', '')
    return tagged(), None


@odd('no folder', 'pictures', 'data_prefix')
def absent_folder(root):
    paint(root)
    table(root, *NAMES)
    return {'data_prefix': {'img_path': 'pictures'}}, None


@odd('labelme', 'is not clear', 'known are .xml (voc_xml)')
def folder_of_json(root):
    paint(root)
    for name in NAMES:
        write(root, f'labelme/{name}.json', '{}')
    return {'labels': 'labelme'}, None


@odd('masks', 'no pixel of any mask has a class', '--binary-masks')
def tags_from_masks_of_0_and_255(root):
    paint(root)
    masks(root, change=lambda mask: (mask > 0).astype(np.uint8) * 255)
    return {'labels': 'masks'}, None


@odd('masks/000.png', 'RGB pixels', 'oaa_mm.io.write_mask')
def tags_from_coloured_masks(root):
    paint(root)
    masks(root, change=lambda mask: COLORS[mask])
    return {'labels': 'masks'}, None


@odd()
def pixels_of_all_kinds(root):
    image = COLORS[truth(0)]
    grey = image.mean(2).astype(np.uint8)
    names = []
    for mode in ('RGBA', 'LA', 'P', 'L', '1'):
        names.append(f'{mode}.png')
        save(root / 'images' / names[-1], image, mode)
    save(root / 'images/CMYK.jpg', image, 'CMYK')
    save(root / 'images/deep.png', grey.astype(np.uint16) * 257)
    save(root / 'images/deep.tif', grey.astype(np.uint16) * 257)
    names += ['CMYK.jpg', 'deep.png']
    table(root, *names)
    return {'img_suffix': '.png'}, holds(*names)


@odd()
def photograph_of_a_phone(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(root / 'images/000.jpg', COLORS[truth(0)], exif=exif)
    table(root, '000')
    return {}, jpgs('000')


@odd('000.tif', 'OpenCV', 'save it as an 8-bit PNG or JPEG')
def image_of_floats(root):
    save(root / 'images/000.tif', np.zeros((20, 28), np.float32))
    table(root, '000')
    return {'img_suffix': '.tif'}, None


@odd('000.tif', 'OpenCV', 'save it as an 8-bit PNG or JPEG')
def image_of_deep_integers(root):
    save(root / 'images/000.tif', np.full((20, 28), 70000, np.int32))
    table(root, '000')
    return {'img_suffix': '.tif'}, None


@odd('001.jpg', 'not a readable image')
def truncated_image(root):
    paint(root)
    path = root / 'images/001.jpg'
    path.write_bytes(path.read_bytes()[:-200])
    table(root, *NAMES)
    return {}, None


@odd('001.jpg', 'not a readable image')
def web_page_called_jpg(root):
    paint(root)
    (root / 'images/001.jpg').write_text('<html>404</html>')
    table(root, *NAMES)
    return {}, None


@odd('001.jpg', '28x1 pixels', 'at least 2')
def image_of_one_row(root):
    paint(root)
    save(root / 'images/001.jpg', np.zeros((1, 28, 3), np.uint8))
    table(root, *NAMES)
    return {}, None


@odd("'.000'", 'rename the file')
def name_with_a_leading_dot(root):
    paint(root, '.000.jpg')
    table(root, '.000.jpg')
    return {}, None


@odd()
def some_categories_of_coco(root):
    paint(root, '000.jpg', '001.jpg')
    coco(root, ['000.jpg', '001.jpg'], [1, 2])
    found = {'000': ('images/000.jpg', ()), '001': ('images/001.jpg', (0,))}
    return {'labels': 'coco.json', 'metainfo': {'classes': ('dog',)}}, found


@odd()
def some_columns_of_a_table(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'tags.csv', 'image,cow,dog,cat', '000,1,0,1', '001,1,1,0')
    return {}, jpgs('000', '001')


@odd()
def true_and_false(root):
    paint(root, '000.jpg', '001.jpg')
    rows = ['image,cat,dog', '000,True,False', '001,FALSE,TRUE']
    write(root, 'tags.csv', *rows)
    return {}, jpgs('000', '001')


@odd()
def column_called_class(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'tags.csv', 'filename,class', '000.jpg,cat', '001.jpg,dog')
    return {}, jpgs('000', '001')


@odd("unknown class 'width'", 'or one called labels', 'Name it among')
def table_of_boxes(root):
    paint(root, '000.jpg')
    write(root, 'tags.csv', 'filename,width,class', '000.jpg,28,cat')
    return {}, None


@odd()
def names_between_commas(root):
    paint(root, '000.jpg')
    write(root, 'tags.csv', 'image,labels', '000,"cat, dog"')
    return {}, {'000': ('images/000.jpg', (0, 1))}


@odd("line 3: unknown class '0'", 'allowed are 1, 2')
def classes_called_by_numbers(root):
    paint(root, '000.jpg', '001.jpg')
    write(root, 'tags.csv', 'image,labels', '000,1;2', '001,0')
    return {'metainfo': {'classes': ('1', '2')}}, None


@odd()
def whole_names_with_a_word(root):
    files = [f'{n}_sat.jpg' for n in NAMES]
    paint(root, *files)
    write(root, 'train.txt', *files)
    table(root, *files)
    found = {n: (f'images/{n}_sat.jpg', (k % 2,)) for k, n in enumerate(NAMES)}
    return {'ann_file': 'train.txt', 'img_suffix': '_sat.jpg'}, found


@odd('images/000.jpg', "two listed names, one of them 'val/000.jpg'")
def one_image_for_two_names(root):
    paint(root, '000.jpg')
    table(root, 'train/000.jpg', 'val/000.jpg')
    return {}, None


@odd("but got 'jpg'", "should be like '.jpg' or '_sat.jpg'")
def suffix_without_its_dot(root):
    paint(root)
    table(root, *NAMES)
    return {'img_suffix': 'jpg'}, None


@odd("('.jpg', '.png')", 'list others by name')
def several_suffixes(root):
    paint(root)
    table(root, *NAMES)
    return {'img_suffix': ('.jpg', '.png')}, None


@odd('größe.jpg', 'looks the same', 'rename one of the two')
def accents_of_a_mac(root):
    paint(root, normalize('NFD', 'größe.jpg'))
    table(root, normalize('NFC', 'größe'))
    return {}, None


@odd("but got the text 'cat'", "write ('cat',) for a single class")
def a_text_as_classes(root):
    paint(root)
    table(root, *NAMES)
    return {'metainfo': {'classes': 'cat'}}, None


@odd("classes hold 'background'", 'leave background out')
def background_among_the_classes(root):
    paint(root)
    table(root, *NAMES)
    return {'metainfo': {'classes': ('background', 'cat', 'dog')}}, None


@odd('000.xml', 'save it as XML in UTF-8')
def xml_in_another_encoding(root):
    paint(root)
    text = '<?xml version="1.0" encoding="gb2312"?><annotation/>'
    write(root, 'xml/000.xml', text)
    return {'labels': 'xml'}, None


def tagged():
    return {'ann_file': 'train.txt', 'labels': None}


def xml(root, path, *names):
    objects = ''.join(f'<object><name>{n}</name></object>' for n in names)
    write(root, path, f'<annotation>{objects}</annotation>')


def coco(root, files, categories, extra=(), ids=None):
    """An instances file: the first images have a category each."""
    ids = ids or range(1, len(files) + 1)
    names = [*((0, name) for name in extra), (1, 'cat'), (2, 'dog')]
    content = {
        'images': [
            {'id': i, 'file_name': n} for i, n in zip(ids, files, strict=True)
        ],
        'annotations': [
            {'image_id': i, 'category_id': c}
            for i, c in zip(ids, categories, strict=False)
        ]
        + [{'image_id': 1, 'category_id': 0} for _ in extra],
        'categories': [{'id': i, 'name': n} for i, n in names],
    }
    (root / 'coco.json').write_text(json.dumps(content))


@pytest.mark.parametrize('name', CASES)
def test_the_data_set_and_the_doctor_agree(name, tmp_path):
    make, words = CASES[name]
    entries, expected = make(tmp_path)
    found, refusal = attempt(train, tmp_path, entries)
    check_agreement(refusal, doctor(tmp_path, entries), words)
    assert found == expected


@pytest.mark.parametrize('suffix', ['png', 'tif'])
@pytest.mark.parametrize('channels', [1, 3])
def test_images_of_a_12_bit_camera(tmp_path, caplog, suffix, channels):
    """Both warn, with a command that keeps the images' relations."""
    names = [f'{name}.{suffix}' for name in ('dark', 'darker', 'deep')]
    (tmp_path / 'images').mkdir()
    for name, top in zip(names, (4000, 1000, 40000), strict=True):
        pixels = np.linspace(0, top, 560).astype(np.uint16).reshape(20, 28)
        pixels = np.dstack([pixels] * channels).squeeze()
        cv2.imwrite(str(tmp_path / 'images' / name), pixels)
    table(tmp_path, *names)
    MMLogger.get_current_instance().addHandler(caplog.handler)
    train(tmp_path, {'img_suffix': f'.{suffix}'})
    MMLogger.get_current_instance().removeHandler(caplog.handler)
    findings = warnings(tmp_path, {'img_suffix': f'.{suffix}'})
    log = caplog.text
    for name, top in zip(names[:2], (4000, 1000), strict=True):
        assert f'images/{name} (at most {top} of 65535)' in log
        assert f'images/{name} (at most {top} of 65535)' in findings
    assert 'deep' not in findings
    message = next(line for line in findings.splitlines() if 'cv2' in line)
    assert all(p in log for p in message[len('train: ') :].split('; '))
    command = re.search('python (-c) "(.*)" FILES', message).groups()
    files = [str(tmp_path / 'images' / name) for name in names[:2]]
    subprocess.run([sys.executable, *command, *files], check=True)
    assert 'cv2' not in warnings(tmp_path, {'img_suffix': f'.{suffix}'})
    found = cv2.imread(files[1], cv2.IMREAD_UNCHANGED)
    assert (found.max(), found.dtype) == (16000, np.uint16)


def test_there_are_many_cases():
    assert len(CASES) >= 50
