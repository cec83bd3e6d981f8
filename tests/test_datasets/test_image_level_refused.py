"""What data sets with image-level labels refuse, and how they say so."""

import cv2
import numpy as np
import pytest
from small_dataset import PIPELINE, build, write_list, write_npy, write_xml

from oaa_mm.datasets import VOCImageLevelDataset


def refused(error, match, folder, *args, **kwargs):
    with pytest.raises(error, match=match):
        build(folder, *args, **kwargs)


def test_absent_data_root(folder):
    refused(
        FileNotFoundError,
        r"data_root '.*/gone' is not a folder.*train_dataloader",
        folder / 'gone',
    )


def test_absent_list(folder):
    refused(
        FileNotFoundError,
        r'gone\.txt does not exist',
        folder,
        'gone.txt',
    )


def test_absent_labels(folder):
    refused(
        FileNotFoundError, r'gone\.npy does not exist', folder,
        labels='gone.npy',
    )  # fmt: skip


@pytest.mark.parametrize('lines', [[], ['', '# nothing', '']])
@pytest.mark.parametrize('test_mode', [False, True])
def test_empty_list(folder, lines, test_mode):
    write_list(folder, lines)
    match = r'train\.txt: the list names no image; it should hold one a line'
    refused(ValueError, match, folder, test_mode=test_mode)
    write_npy(folder)
    refused(ValueError, match, folder, labels='labels.npy')


def test_neither_list_nor_labels(folder):
    match = 'no image is named; list images in `ann_file`'
    refused(ValueError, match, folder, '', test_mode=True)


@pytest.mark.parametrize('second', ['a', 'a.jpg', 'other/a.png'])
def test_ids_listed_twice(folder, second):
    write_list(folder, ['a', 'b', second])
    match = r'train\.txt: 1 images are listed more than once: a;'
    refused(ValueError, match, folder, test_mode=True)


def test_absent_images_are_counted_and_named(folder):
    write_list(folder, ['a 0', 'x 1', 'y 2'])
    match = r'2 of 3 listed images do not exist: .*images/x\.jpg.*img_suffix'
    refused(FileNotFoundError, match, folder)


def test_many_absent_images_are_shortened(folder):
    write_list(folder, [f'x{n} 0' for n in range(30)])
    refused(FileNotFoundError, r'x9\.jpg and 20 more', folder)


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_truncated_images_are_named(folder, suffix):
    path = folder / f'images/z{suffix}'
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    cv2.imwrite(str(path), noise.astype(np.uint8))
    path.write_bytes(path.read_bytes()[:-500])
    write_list(folder, ['z 0'])
    match = rf'1 of 1 listed images cannot be used: .*z\{suffix}: not a read'
    refused(ValueError, match, folder, img_suffix=suffix)


def test_one_pixel_high_images_are_named(folder):
    cv2.imwrite(str(folder / 'images/z.jpg'), np.zeros((1, 9, 3), np.uint8))
    write_list(folder, ['a 0', 'z 0'])
    refused(ValueError, r'z\.jpg: 9x1 pixels', folder)


def test_unchecked_images_are_found_out_when_they_are_loaded(folder):
    (folder / 'images/a.jpg').write_bytes(b'nothing')
    dataset = build(folder, check_images=False, pipeline=PIPELINE)
    assert 'input_size' not in dataset.get_data_info(0)
    with pytest.raises(ValueError, match=r'a\.jpg: cannot be read'):
        dataset[0]
    (folder / 'images/a.jpg').write_bytes(b'')
    with pytest.raises(ValueError, match=r'a\.jpg: cannot be read'):
        dataset[0]
    (folder / 'images/a.jpg').unlink()
    with pytest.raises(ValueError, match=r'a\.jpg: cannot be read'):
        dataset[0]


@pytest.mark.parametrize('test_mode', [False, True])
def test_class_index_out_of_range(folder, test_mode):
    write_list(folder, ['a 0', 'b 3'])
    match = r"train\.txt: image 'b': class index 3 .*0 to 2"
    refused(ValueError, match, folder, test_mode=test_mode)


def test_lists_of_images_and_masks_hold_no_labels(folder):
    write_list(folder, ['images/a.jpg masks/a.png'])
    refused(ValueError, r'train\.txt: there are no image-level labels', folder)


def test_listed_image_without_entry_in_the_labels(folder):
    labels = write_npy(folder)
    write_list(folder, ['a', 'x', 'y'])
    match = r'labels\.npy: 2 of 3 listed images have no entry.*: x, y'
    refused(ValueError, match, folder, labels=labels)


def test_no_image_has_any_class(folder):
    (folder / 'labels.csv').write_text('image,ant,bee,cow\na,0,0,0\n')
    match = r'labels\.csv: no listed image has any of the classes ant, bee'
    refused(ValueError, match, folder, '', labels='labels.csv')


def test_labels_that_hold_no_image(folder):
    (folder / 'labels.csv').write_text('image,ant,bee,cow\n')
    write_list(folder, ['a', 'b'])
    match = r'labels\.csv.*(no entry|no image|no row)'
    refused(ValueError, match, folder, labels='labels.csv')


def test_no_labels_given(folder):
    write_list(folder, ['a', 'b'])
    refused(ValueError, r'train\.txt: there are no image-level labels', folder)


def test_no_classes_given(folder):
    for test_mode in (False, True):
        refused(
            ValueError,
            'nothing names the classes; give a data set their names',
            folder,
            metainfo=None,
            test_mode=test_mode,
        )


def test_unknown_classes_of_the_labels(folder):
    labels = write_xml(folder)
    match = r"xml/b\.xml: unknown class 'bee'; allowed are ant, cow"
    meta = {'classes': ('ant', 'cow')}
    refused(ValueError, match, folder, labels=labels, metainfo=meta)


def test_unknown_classes_chosen(folder):
    with pytest.raises(ValueError, match='not a subset'):
        VOCImageLevelDataset(
            'train.txt',
            data_root=str(folder),
            metainfo={'classes': ('unicorn',)},
        )


def test_chosen_classes_that_no_image_has(folder):
    with pytest.raises(ValueError, match=r'no listed image.*sheep'):
        VOCImageLevelDataset(
            'train.txt',
            data_root=str(folder),
            data_prefix={'img_path': 'images'},
            metainfo={'classes': ('sheep',)},
        )


def test_pipelines_that_cannot_be_undone(folder):
    pipeline = [PIPELINE[0], {'type': 'RandomRotate', 'prob': 1, 'degree': 9}]
    refused(ValueError, 'transform RandomRotate', folder, pipeline=pipeline)


@pytest.mark.parametrize(
    ('name', 'value', 'allowed'),
    [
        ('reduce_zero_label', True, 'False'),
        ('ignore_index', 0, '255'),
        ('backend_args', {'backend': 'petrel'}, 'None'),
    ],
)
def test_arguments_of_mmseg_that_have_one_value(folder, name, value, allowed):
    match = rf'^ImageLevelDataset: {name} should be {allowed}, but .*leave it'
    refused(ValueError, match, folder, lazy_init=True, **{name: value})
