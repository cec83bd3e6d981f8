"""Masks: the evaluation of labels and the doctor agree."""

import numpy as np
import pytest
from odd_world import (
    COLORS,
    NAMES,
    attempt,
    check_agreement,
    doctor,
    evaluate,
    masks,
    paint,
    save,
    truth,
    write,
)
from PIL import Image

CASES = {}


def odd(*words, names=NAMES, classes=('cat', 'dog'), binary=False):
    """Register a writer of masks; `words` are what both have to say."""

    def register(make):
        CASES[make.__name__] = make, words, names, classes, binary
        return make

    return register


def one(mask):
    """The block of any class as class 1."""
    return (mask > 0).astype(np.uint8)


def one_image(root, pixels, name='001.png', **options):
    """All masks are fine but one."""
    masks(root)
    (root / f'masks/{name}').unlink(missing_ok=True)
    save(root / f'masks/{name}', pixels, **options)


@odd()
def palettes(root):
    masks(root)


@odd()
def grey_indices(root):
    masks(root, change=lambda mask: mask)


@odd()
def palette_of_another_tool(root):
    def change(mask):
        image = Image.fromarray(mask)
        image.putpalette([250, 50, 83, 36, 179, 83, 61, 61, 245])
        return image

    masks(root, change=change)


@odd()
def sixteen_bits(root):
    masks(root, change=lambda mask: mask.astype(np.uint16))


@odd('001.png', 'the values 257, 258', '1 to 2 (classes)')
def sixteen_bits_that_would_wrap(root):
    deep = truth(1).astype(np.uint16) + 256
    deep[0], deep[1] = 257, 0
    deep[deep == 256] = 0
    one_image(root, deep)


@odd('001.png', 'the value 1000', 'map the values of the masks')
def thousands_as_in_cityscapes_instances(root):
    one_image(root, (truth(1) > 0).astype(np.uint16) * 1000)


@odd('001.png', 'the value 3', '1 to 2 (classes)')
def more_classes_than_named(root):
    one_image(root, truth(1) + (truth(1) > 0).astype(np.uint8))


@odd('001.png', 'holds RGB pixels', 'oaa_mm.io.write_mask')
def colours_of_cvat(root):
    one_image(root, COLORS[truth(1)])


@odd('001.png', 'holds RGBA pixels', 'oaa_mm.io.write_mask')
def transparent_colours(root):
    one_image(root, COLORS[truth(1)], mode='RGBA')


@odd('001.png', 'not a readable image of format PNG')
def jpeg_called_png(root):
    one_image(root, truth(1), format='JPEG')


@odd()
def tiff_called_png(root):
    one_image(root, truth(1), format='TIFF')


@odd('001.png', 'the mask holds the value')
def grey_values_of_a_soft_mask(root):
    soft = np.array(Image.fromarray(one(truth(1)) * 255).resize((28, 20)))
    soft[0, 0], soft[0, 1] = 127, 30
    one_image(root, soft)


@odd('000.png', 'only 0 and 255', '--binary-masks', classes=('polyp',))
def zero_and_255_of_one_class(root):
    masks(root, change=lambda mask: one(mask) * 255)


@odd('masks', 'no pixel of any mask has a class', '--binary-masks')
def zero_and_255_of_two_classes(root):
    masks(root, change=lambda mask: one(mask) * 255)


@odd(classes=('polyp',), binary=True)
def zero_and_255_read_as_binary(root):
    masks(root, change=lambda mask: one(mask) * 255)


@odd(classes=('polyp',), binary=True)
def zero_and_1_read_as_binary(root):
    masks(root, change=one)


@odd('000.png', 'the value 2', '255 (class 1)', binary=True)
def two_classes_read_as_binary(root):
    masks(root, change=lambda mask: np.full_like(mask, 2))


@odd(classes=('polyp',))
def one_bit(root):
    masks(root, change=lambda mask: Image.fromarray(mask > 0))


@odd('masks', 'no pixel of any mask has a class')
def background_alone(root):
    masks(root, change=np.zeros_like)


@odd('masks', 'no pixel of any mask has a class')
def ignored_alone(root):
    masks(root, change=lambda mask: np.full_like(mask, 255))


@odd()
def ignored_borders(root):
    def change(mask):
        mask[0] = 255
        return mask

    masks(root, change=change)


@odd('003.png')
def absent_mask(root):
    masks(root)
    (root / 'masks/003.png').unlink()


@odd('001.png')
def mask_of_another_size(root):
    one_image(root, truth(1)[1:])


@odd(names=('a/000', 'b/000', 'b/001'))
def sub_folders_with_equal_names(root):
    masks(root, 'a/000.png', 'b/000.png', 'b/001.png')


@odd(
    '000.png',
    "'a/000' and 'b/000'",
    'sub-folders that the images are in',
    names=('a/000', 'b/000'),
)
def one_mask_for_two_images(root):
    masks(root, '000.png')


@odd(names=('a/000', 'b/001'))
def masks_without_the_sub_folders(root):
    masks(root, '000.png', '001.png')


@odd()
def suffix_in_capitals(root):
    masks(root, *(f'{n}.PNG' for n in NAMES))


@odd(names=('[1 0 0 1]', 'benign (1)', 'cat 0'))
def blanks_and_brackets(root):
    masks(root, '[1 0 0 1].png', 'benign (1).png', 'cat 0.png')


@odd(names=('jpg', 'png'))
def image_called_like_its_suffix(root):
    masks(root, 'jpg.png', 'png.png')


@pytest.mark.parametrize('name', CASES)
def test_the_evaluation_and_the_doctor_agree(name, tmp_path):
    make, words, names, classes, binary = CASES[name]
    make(tmp_path)
    paint(tmp_path, *(f'{n}.jpg' for n in names))
    write(tmp_path, 'val.txt', *names)
    options = ['--binary-masks'] if binary else []
    result, refusal = attempt(evaluate, tmp_path, names, classes, *options)
    entries = {
        'metainfo': {'classes': classes},
        'data_prefix': {'img_path': 'images', 'seg_map_path': 'masks'},
    }
    findings = doctor(tmp_path, entries, 'val', binary)
    # The evaluation sees the size of a label, the doctor that of the image.
    alike = name != 'mask_of_another_size'
    check_agreement(refusal, findings, words, alike)
    if not words:
        (means,) = result.means.values()
        assert means['mIoU'] == means['recall'] == 1, result
        size = truth(0).size - 28 * (name == 'ignored_borders')
        assert result.num_pixels == size * len(names)


def test_there_are_many_cases():
    assert len(CASES) >= 25
