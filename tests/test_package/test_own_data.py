"""docs/own_data.md, word for word: a user's folder becomes pseudo-labels."""

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.io import read_mask, voc_colormap

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs/own_data.md').read_text()
#: A network and images of a size that a test can wait for; all else, the
#: number of epochs as well, is the page's.
SMALL = (
    ' --cfg-options model.backbone.depth=18 model.backbone.base_channels=8'
    ' model.backbone.init_cfg=None model.head.in_channels=64'
    ' train_dataloader.dataset.pipeline.1.scale=48'
    ' train_dataloader.num_workers=0 train_dataloader.persistent_workers=False'
    ' default_hooks.checkpoint.interval=15'
    ' train_dataloader.batch_sampler.min_iters=1'
)


def block(language):
    (text,) = re.findall(rf'```{language}\n(.*?)```', PAGE, re.DOTALL)
    return text


@pytest.fixture
def place(tmp_path):
    """The root of a checkout in which there is nothing but the user's data."""
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    images = tmp_path / 'data/own/images'
    images.mkdir(parents=True)
    rows = block('csv').splitlines()
    rows += ['0003,cat', '0004,dog', '0005.jpg,cat dog']
    (tmp_path / 'data/own/tags.csv').write_text('\n'.join(rows) + '\n')
    rng = np.random.default_rng(0)
    for number in range(1, 6):
        size = (60, 80) if number % 2 else (80, 60)
        image = rng.integers(0, 255, (*size, 3), dtype=np.uint8)
        cv2.imwrite(str(images / f'{number:04}.jpg'), image)
    return tmp_path


def test_the_page_is_short():
    assert len(PAGE.splitlines()) <= 20


def test_the_page_word_for_word(place):
    commands = block('bash')
    train = r'(python tools/train\.py configs/own_data\.py)( .*)?'
    assert len(re.findall(train, commands)) == 1
    commands = re.sub(train, r'\1' + SMALL, commands)
    path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
    result = subprocess.run(
        ['bash', '-e', '-c', commands],
        cwd=place,
        env={**os.environ, 'PATH': path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    names = [f'{number:04}' for number in range(1, 6)]
    out = place / 'work_dirs/pseudo_labels/own_data'
    assert (out / 'train.txt').read_text().split() == names
    store = AttentionStore.load(
        place / 'work_dirs/own_data/attention_epoch_15.safetensors'
    )
    expected = {'0001': (1,), '0002': (0, 1), '0003': (0,), '0004': (1,)}
    expected['0005'] = (0, 1)
    assert {name: store.classes_of(name) for name in names} == expected
    for name in names:
        label = read_mask(out / f'labels/{name}.png')
        image = cv2.imread(str(place / f'data/own/images/{name}.jpg'))
        assert label.shape == image.shape[:2]
        allowed = {0, 255, *(c + 1 for c in expected[name])}
        assert set(np.unique(label).tolist()) <= allowed
        with Image.open(out / f'labels/{name}.png') as picture:
            palette = np.array(picture.getpalette()).reshape(-1, 3)
        assert (palette[:3] == voc_colormap(3)).all()
