"""Saliency maps: the maker of pseudo-labels and the doctor agree."""

import numpy as np
import pytest
from mmengine.logging import MMLogger
from odd_world import (
    COLORS,
    NAMES,
    attempt,
    check_agreement,
    doctor,
    make_labels,
    paint,
    save,
    table,
    truth,
)
from PIL import Image

CASES = {}


def odd(*words, names=NAMES):
    """Register a writer of a map; `words` are what both have to say."""

    def register(make):
        CASES[make.__name__] = make, words, names
        return make

    return register


def grey(number):
    return (truth(number) > 0).astype(np.uint8) * 255


def maps(root, *names, mode=None, **options):
    for number, name in enumerate(names or [f'{n}.png' for n in NAMES]):
        save(root / 'saliency' / name, grey(number), mode, **options)


def all_modes(mode):
    def make(root):
        maps(root, mode=mode)

    make.__name__ = f'mode_{mode}'
    return odd()(make)


for kind in ('L', 'LA', 'RGB', 'RGBA', 'P', '1'):
    all_modes(kind)


@odd()
def sixteen_bits(root):
    for number, name in enumerate(NAMES):
        deep = grey(number).astype(np.uint16) * 257
        save(root / f'saliency/{name}.png', deep)


@odd()
def jpeg_called_png(root):
    maps(root, format='JPEG', quality=100)


@odd()
def palette_of_greys_in_another_order(root):
    for number, name in enumerate(NAMES):
        image = Image.fromarray(1 - grey(number) // 255)
        image.putpalette([255, 255, 255, 0, 0, 0])
        path = root / f'saliency/{name}.png'
        path.parent.mkdir(exist_ok=True)
        image.save(path)


@odd('001.png', 'shows colours', 'a saliency map is greyscale')
def colours(root):
    maps(root)
    save(root / 'saliency/001.png', COLORS[truth(1)])


@odd('001.png', 'only values of 0 and 1', 'multiply their values by 255')
def zeros_and_ones(root):
    for number, name in enumerate(NAMES):
        save(root / f'saliency/{name}.png', grey(number) // 255)


@odd('001.png', '28x19', 'resize the saliency maps')
def another_size(root):
    maps(root)
    save(root / 'saliency/001.png', grey(1)[1:])


@odd('003.png', '1 of 4 saliency maps')
def absent(root):
    maps(root, *(f'{n}.png' for n in NAMES[:3]))


@odd('001.png', 'not a readable image')
def damaged(root):
    maps(root)
    path = root / 'saliency/001.png'
    path.write_bytes(path.read_bytes()[:-20])


@odd(names=('a/000', 'b/000'))
def sub_folders_with_equal_names(root):
    maps(root, 'a/000.png', 'b/000.png')


@odd(
    '000.png',
    "'a/000' and 'b/000'",
    'sub-folders that the images are in',
    names=('a/000', 'b/000'),
)
def one_map_for_two_images(root):
    maps(root, '000.png')


@odd('000.jpg', '000.tif', 'list it with its suffix')
def two_images_of_one_stem(root):
    maps(root)
    save(root / 'images/000.tif', COLORS[truth(0)])


@odd(names=('[1 0 0 1]', 'benign (1)', 'cat 0'))
def blanks_and_brackets(root):
    maps(root, '[1 0 0 1].png', 'benign (1).png', 'cat 0.png')


@pytest.mark.parametrize('name', CASES)
def test_the_label_maker_and_the_doctor_agree(name, tmp_path):
    make, words, names = CASES[name]
    make(tmp_path)
    paint(tmp_path, *(f'{n}.jpg' for n in names))
    table(tmp_path, *names)
    labels, refusal = attempt(make_labels, tmp_path, names)
    folders = {'img_path': 'images', 'saliency_path': 'saliency'}
    entries = {'data_prefix': folders, 'img_suffix': ''}
    check_agreement(refusal, doctor(tmp_path, entries), words)
    if not words:
        for number, image_id in enumerate(names):
            assert np.array_equal(labels[image_id], truth(number))


def test_nothing_is_salient_in_one_map(tmp_path, caplog):
    paint(tmp_path, *(f'{n}.jpg' for n in NAMES))
    table(tmp_path, *NAMES)
    maps(tmp_path)
    save(tmp_path / 'saliency/001.png', grey(1) // 255)
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    labels, refusal = attempt(make_labels, tmp_path, NAMES)
    logger.removeHandler(caplog.handler)
    assert not refusal
    assert 'only values of 0 and 1' in caplog.text
    assert (labels['001'] == 255).all()
    np.testing.assert_array_equal(labels['002'], truth(2))
