"""A small work_dir of a whole pipeline, written by hand."""

import json

import cv2
import numpy as np

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DATA_SET, record_data
from oaa_mm.io import write_mask
from oaa_mm.io.manifest import Manifest, write_manifest

SIZE = (30, 40)
NAMES = ['cat', 'cow & calf']
#: Image -> columns (of 40) of its label that differ from the mask.
WRONG = {'good': 0, 'fair': 4, 'poor': 16}


def left_half(class_index=0):
    """A mask: the left half is of the class."""
    mask = np.zeros(SIZE, np.uint8)
    mask[:, :20] = class_index + 1
    return mask


def make_store(path, value, ids=WRONG):
    store = AttentionStore()
    for image_id in ids:
        small = np.zeros((3, 4), np.uint8)
        small[:, :2] = value
        store[image_id, int(image_id == 'poor')] = small
    data = path.parents[2] / 'data'
    store.metadata[DATA_SET] = record_data(
        {i: f'{data}/img/{i}.png' for i in ids},
        path.parent,
        masks={i: f'{data}/masks/{i}.png' for i in ids},
        classes=NAMES,
    )
    store.save(path)


def make_data(root):
    for image_id in WRONG:
        image = np.full((*SIZE, 3), 90, np.uint8)
        (root / 'img').mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / f'img/{image_id}.png'), image)
        mask = left_half(int(image_id == 'poor'))
        write_mask(root / f'masks/{image_id}.png', mask)


def make_training(folder):
    """Ten steps of five epochs; a resumed run repeats the last two."""
    lines = [
        {
            'loss': 1 / step, 'epoch': (step + 1) // 2, 'step': step,
            'oaa_accept_rate': 0.1 * (step // 2), 'oaa_coverage': 0.01 * step,
        }
        for step in range(1, 11)
    ]  # fmt: skip
    val = [{'mIoU': 30.0 + epoch, 'step': epoch} for epoch in (2, 4)]
    runs = {'20260101_000000': lines + val, '20260102_000000': lines[8:]}
    for name, content in runs.items():
        path = folder / name / 'vis_data/scalars.json'
        path.parent.mkdir(parents=True)
        text = '\n'.join(map(json.dumps, content))
        path.write_text(text + '\n{"loss": 0.')  # cut off by a kill
    for epoch in (2, 3, 4, 5):
        make_store(
            folder / f'attention_epoch_{epoch}.safetensors', 60 * epoch - 60
        )
    for epoch in (1, 2, 3, 4, 5):
        make_store(folder / f'epoch_maps_{epoch}.safetensors', 200)


def make_labels(folder):
    for image_id, columns in WRONG.items():
        label = left_half(int(image_id == 'poor'))
        label[:, :columns] = 0
        write_mask(folder / f'labels/{image_id}.png', label)
    manifest = Manifest(tool='make_pseudo_labels', versions={'x': '1'})
    write_manifest(folder / 'manifest.json', manifest)


def score(value):
    rows = {n: {'iou': value} for n in ['background', *NAMES]}
    return {
        'mIoU': value, 'precision': value, 'recall': None, 'per_class': rows,
    }  # fmt: skip


def make_scores(folder):
    folder.mkdir()
    best = {'threshold': 0.25, **score(0.5)}
    sweep = {'threshold': [0.0, 0.25, 1.0], 'mIoU': [0.2, 0.5, None]}
    maps = [
        {
            'store': name, 'best': best, 'sweep': sweep, 'coverage': 0.1,
            'per_class': best['per_class'],
        }
        for name in ('cam', 'attention_epoch_5', 'oaa_plus')
    ]  # fmt: skip
    policies = {n: score(0.7) for n in ('drop', 'background', 'error')}
    labels = [{'labels': 'pseudo_labels', 'ignored': 0.25, **policies}]
    contents = {'maps': ('stores', maps), 'labels': ('folders', labels)}
    for name, (key, rows) in contents.items():
        content = {'classes': NAMES, 'ignore': 'drop', key: rows}
        (folder / f'{name}.json').write_text(json.dumps(content))
    run = folder / '20260103_000000'
    run.mkdir()
    (run / f'{run.name}.json').write_text('{"mIoU": 61.25, "aAcc": 90.0}')
    (run / f'{run.name}.log').write_text(
        'per class results:\n\n+--+\n| Class | IoU | Acc |\n'
        '| background | 80.5 | 90.0 |\n| cat | 42.0 | nan |\n'
        '| cow & calf | nan | nan |\n+--+\n'
    )


def make_table(path):
    """What a pipeline with two seeds of DeepLab writes at its end."""
    once, twice = {'seeds': [None]}, {'seeds': [0, 1]}
    alone = {'share_error': None, 'difference': None, 'difference_error': None}
    scores = [
        {
            'name': 'CAM', 'column': 'maps', **once, 'values': [0.4],
            'mean': 0.4, 'std': None,
        },
        {
            'name': 'OAA+', 'column': 'DeepLab', **twice,
            'values': [0.6, 0.62], 'mean': 0.61, 'std': 0.0141,
            'share': 0.871, 'share_error': 0.01, 'difference': None,
            'difference_error': None, 'tie': False,
        },
        {
            'name': 'true masks', 'column': 'DeepLab', **once,
            'values': [0.7], 'mean': 0.7, 'std': None, **alone, 'share': 1.0,
            'tie': False,
        },
    ]  # fmt: skip
    content = {'reference': 'true masks', 'main': 'OAA+', 'scores': scores}
    content['columns'] = ['maps', 'DeepLab']
    path.write_text(json.dumps(content))


def make_world(root):
    """Returns the work_dir; the data set is beside it."""
    make_data(root / 'data')
    work = root / 'work'
    make_training(work / 'oaa')
    make_store(work / 'cam/cam.safetensors', 100)
    make_store(work / 'maps/oaa_plus.safetensors', 250)
    make_labels(work / 'labels/pseudo_labels')
    make_scores(work / 'evaluation')
    make_table(work / 'scores.json')
    for name, file, content in (
        ('oaa', 'stage.json', {'commands': [], 'seconds': 150}),
        ('cam', 'stage_started.json', {'commands': []}),
    ):
        (work / name / file).write_text(json.dumps(content))
    # What a pipeline has moved aside is no part of the run.
    make_store(work / 'cam.1/other.safetensors', 9)
    return work
