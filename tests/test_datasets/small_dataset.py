"""Four small images with labels in every form, for the tests beside it."""

import cv2
import numpy as np

from oaa_mm.datasets import ImageLevelDataset

CLASSES = ('ant', 'bee', 'cow')
#: Image id -> classes; sizes are 16 pixels high and 20 and more wide.
LABELS = {'a': (0,), 'b': (1, 2), 'c': (0, 2), 'd': (2,)}
PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'ResizeShortestEdge', 'scale': 8, 'max_size': 100},
    {'type': 'oaa_mm.PackImageLevelInputs'},
]


def write_images(folder):
    rng = np.random.default_rng(0)
    (folder / 'images').mkdir()
    for number, image_id in enumerate(LABELS):
        image = rng.integers(0, 256, (16, 20 + 4 * number, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'images/{image_id}.jpg'), image)
    lines = [f'{i} {" ".join(map(str, c))}' for i, c in LABELS.items()]
    write_list(folder, lines)


def write_list(folder, lines, name='train.txt'):
    (folder / name).write_text('\n'.join(lines) + '\n', encoding='utf-8')


def build(folder, ann_file='train.txt', **kwargs):
    kwargs.setdefault('metainfo', {'classes': CLASSES})
    kwargs.setdefault('data_prefix', {'img_path': 'images'})
    return ImageLevelDataset(ann_file, data_root=str(folder), **kwargs)


def labels_of(dataset):
    infos = [dataset.get_data_info(n) for n in range(len(dataset))]
    return {
        info['image_id']: tuple(np.flatnonzero(info['gt_label']))
        for info in infos
    }


def multi_hot(classes):
    row = np.zeros(len(CLASSES), np.uint8)
    row[list(classes)] = 1
    return row


def write_xml(folder):
    (folder / 'xml').mkdir()
    for image_id, classes in LABELS.items():
        objects = ''.join(
            f'<object><name>{CLASSES[c]}</name></object>' for c in classes
        )
        text = f'<annotation>{objects}</annotation>'
        (folder / f'xml/{image_id}.xml').write_text(text)
    return 'xml'


def write_npy(folder):
    table = {i: multi_hot(c).astype(np.float32) for i, c in LABELS.items()}
    np.save(folder / 'labels.npy', table)
    return 'labels.npy'


def write_csv(folder):
    rows = [','.join(map(str, (i, *multi_hot(c)))) for i, c in LABELS.items()]
    head = ','.join(('image', *CLASSES))
    (folder / 'labels.csv').write_text('\n'.join([head, *rows]) + '\n')
    return 'labels.csv'


def write_masks(folder):
    (folder / 'masks').mkdir()
    for image_id, classes in LABELS.items():
        mask = np.zeros((16, 20), np.uint8)
        for row, c in enumerate(classes):
            mask[row] = c + 1
        mask[-1] = 255
        cv2.imwrite(str(folder / f'masks/{image_id}.png'), mask)
    return 'masks'
