"""Small odd data sets, read by a stage and by the doctor.

A maker writes a data set into a folder and returns the entries of its config,
the words that both have to say (none where the set is fine), and what a fine
one holds. The stage and the doctor read the very same entries.
"""

import importlib.util
import re
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import numpy as np
from messages import record
from mmseg.registry import DATASETS
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.doctor import check_dataset
from oaa_mm.doctor.config import splits_from_config
from oaa_mm.evaluation import read_results
from oaa_mm.io import read_mask, write_mask
from oaa_mm.pseudo_labels.folder import make_label_folder

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ('cat', 'dog')
NAMES = tuple(f'00{n}' for n in range(4))
COLORS = np.array([[90, 90, 90], [220, 40, 40], [40, 40, 220]], np.uint8)


def truth(number):
    """A block of class cat or dog, of another place for each number."""
    mask = np.zeros((20, 28), np.uint8)
    mask[2 + number : 12, 4 : 16 + number] = number % 2 + 1
    return mask


def save(path, pixels, mode=None, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, **options)


def paint(root, *names, folder='images'):
    """Images of coloured blocks; their names hold the suffix."""
    names = names or [f'{name}.jpg' for name in NAMES]
    for number, name in enumerate(names):
        save(root / folder / name, COLORS[truth(number)])


def masks(root, *names, folder='masks', change=None):
    """The masks of the images, maybe changed before they are written."""
    for number, name in enumerate(names or [f'{n}.png' for n in NAMES]):
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if change is None:
            write_mask(path, truth(number))
        else:
            image = change(truth(number))
            image = (
                image
                if isinstance(image, Image.Image)
                else (Image.fromarray(image))
            )
            image.save(path, format='PNG')


def write(root, name, *lines, end='\n', encoding='utf-8'):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + end).encode(encoding))


def table(root, *names, name='tags.csv', suffix=''):
    """A table of the images' classes: cat, dog, cat, ..."""
    rows = [f'{n}{suffix},{CLASSES[k % 2]}' for k, n in enumerate(names)]
    write(root, name, 'image,labels', *rows)


def holds(*files, folder='images'):
    """What a set holds: id -> file and classes, cat, dog, cat, ..."""
    return {
        name.rpartition('.')[0]: (f'{folder}/{name}', (number % 2,))
        for number, name in enumerate(files)
    }


def config_of(root, entries):
    return {
        'type': 'oaa_mm.ImageLevelDataset',
        'data_root': str(root),
        'labels': 'tags.csv',
        'data_prefix': {'img_path': 'images'},
        'metainfo': {'classes': CLASSES},
        'pipeline': [
            {'type': 'LoadImageFromFile'},
            {'type': 'oaa_mm.PackImageLevelInputs'},
        ],
        **entries,
    }


def attempt(read, *args):
    """What a stage returns, and the error with which it refuses."""
    try:
        return read(*args), ''
    except (OSError, ValueError) as error:
        record(str(error))
        return None, str(error)


def train(root, entries):
    """Build the data set: id -> file and classes of each image."""
    dataset = DATASETS.build(config_of(root, entries))
    infos = list(map(dataset.get_data_info, range(len(dataset))))
    for number, info in enumerate(infos):
        sample = dataset[number]
        assert sample['inputs'].shape[1:] == (info['height'], info['width'])
    return {
        info['image_id']: (
            Path(info['img_path']).relative_to(root).as_posix(),
            tuple(np.flatnonzero(info['gt_label'])),
        )
        for info in infos
    }


def warnings(root, entries):
    """The warnings of the doctor, as one text."""
    return doctor(root, entries, severity='warning')


def doctor(root, entries, part='train', binary=False, severity='error'):
    """The errors of the doctor, as one text."""
    config = config_of(root, entries)
    if part == 'val':
        config.update(labels=None, ann_file='val.txt')
    path = root / 'config.py'
    path.write_text(
        f'{part}_dataloader = dict(dataset={config!r})', encoding='utf-8'
    )
    found, error = attempt(splits_from_config, path)
    if error:
        return error
    splits, classes = found
    if binary:
        splits = [replace(split, binary_masks=True) for split in splits]
    findings = check_dataset(splits, classes=classes, workers=1)
    errors = [f for f in findings if f.severity == severity]
    for finding in errors:
        record('\n  '.join((finding.message, *finding.items)))
    return '\n'.join(text for f in errors for text in (f.message, *f.items))


def load_tool(name):
    path = ROOT / f'tools/{name}.py'
    spec = importlib.util.spec_from_file_location(f'odd_{name}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def evaluate(root, names, classes, *options):
    """Score the truth as labels by the command."""
    for number, name in enumerate(names):
        label = truth(number)
        write_mask(root / f'labels/{name}.png', label.clip(max=len(classes)))
    load_tool('evaluate').main(
        ['labels', f'{root}/labels', '--masks', f'{root}/masks', '--list']
        + [f'{root}/val.txt', '--classes', ','.join(classes), '--json']
        + [f'{root}/scores.json', '--ignore-policy', 'drop', *options]
    )
    (result,) = read_results(root / 'scores.json')
    return result


def make_labels(root, names, saliency='saliency'):
    """Pseudo-labels of maps that are the truth: id -> (H, W) values."""
    store = AttentionStore()
    for number, name in enumerate(names):
        on = (truth(number) > 0).astype(np.uint8) * 255
        store[name, number % 2] = on
    store.save(root / 'store.safetensors')
    make_label_folder(
        root / 'store.safetensors',
        root / 'out',
        img_dir=root / 'images',
        class_names=CLASSES,
        saliency_dir=root / saliency,
    )
    return {i: read_mask(root / f'out/labels/{i}.png') for i in names}


def _is_said_in(line, refusal):
    """Whether each sentence of a line is one of a refusal, word for word."""
    parts = re.split('[.;] ', line)
    return len(line) > 30 and (
        refusal in line or all(part in refusal for part in parts)
    )


def check_agreement(refusal, findings, words, alike=True):
    """Both are silent, or both refuse with these words.

    One of the doctor's sentences is part of the stage's, or all of it.
    """
    if not words:
        assert (refusal, findings) == ('', '')
    elif alike:
        lines = re.sub('^(train|val): ', '', findings, flags=re.M).splitlines()
        assert any(map(_is_said_in, lines, repeat(refusal))), (lines, refusal)
    for word in words:
        assert word in refusal, refusal
        assert word in findings, findings
