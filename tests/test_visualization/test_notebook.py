"""Stores and labels in a notebook: pictures as HTML, never an error."""

import base64
import html
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.attention.record import DATA_SET, record_data
from oaa_mm.io import read_image, write_image, write_mask
from oaa_mm.io.manifest import Manifest, write_manifest
from oaa_mm.pseudo_labels import LabelFolder
from oaa_mm.visualization.grid import CAPTION_HEIGHT, HEADER_HEIGHT, MARGIN
from oaa_mm.visualization.notebook import HEIGHT

CLASSES = ('cat', 'dog & co')
PICTURE = re.compile(r'<img src="data:image/jpeg;base64,([^"]+)" alt="(.*?)">')
TOP = 2 * MARGIN + HEADER_HEIGHT + CAPTION_HEIGHT


def pictures(shown):
    """Alternative text -> (H, W, 3) picture, of all in some HTML."""
    return {
        html.unescape(alt): np.array(
            Image.open(io.BytesIO(base64.b64decode(data)))
        ).astype(int)
        for data, alt in PICTURE.findall(shown)
    }


def tile(picture, column, width):
    left = MARGIN + column * (width + MARGIN)
    return picture[TOP : TOP + HEIGHT, left : left + width]


@pytest.fixture
def images(tmp_path):
    """Ten images, twice as wide as high, of one colour each."""
    paths = {}
    for number in range(10):
        image = np.full((30, 60, 3), 20 * number, np.uint8)
        paths[f'im{number}'] = str(tmp_path / f'images/im{number}.png')
        write_image(paths[f'im{number}'], image)
    return paths


@pytest.fixture
def store(images, tmp_path):
    """Saved and loaded: maps of class 1, and of class 0 for the last."""
    left = np.zeros((3, 6), np.uint8)
    left[:, :3] = 255
    store = AttentionStore({(image_id, 1): left for image_id in images})
    store['im9', 0] = left[:, ::-1]
    data = record_data(images, tmp_path, classes=CLASSES)
    store.metadata[DATA_SET] = data
    store.save(tmp_path / 'store.safetensors')
    return AttentionStore.load(tmp_path / 'store.safetensors')


def test_a_store_shows_some_images_and_their_maps(store, images):
    found = pictures(store._repr_html_())
    assert list(found) == [
        f'im{n}: image, attention; {names}'
        for n, names in [(n, 'dog & co') for n in (0, 2, 4, 5, 7)]
        + [(9, 'cat, dog & co')]
    ]
    assert '11 attention maps, 10 images, 6 of them shown<' in (
        store._repr_html_()
    )
    picture = found['im4: image, attention; dog & co']
    inner = tile(picture, 0, 2 * HEIGHT)[9:-9, 9:-9]  # JPEG blurs the rim
    assert abs(inner - 80).max() < 8
    # Class 1 is green; it is where the map is.
    drawn = tile(picture, 1, 2 * HEIGHT)
    excess = drawn[..., 1] - drawn[..., 0]
    assert excess[9:-9, 9 : HEIGHT // 2].min() > 20
    assert abs(excess[:, -HEIGHT // 2 :]).max() < 8


def test_an_open_store_and_its_folder_show_the_same(store, tmp_path):
    opened = AttentionStore.open(tmp_path / 'store.safetensors')
    assert opened._repr_html_() == store._repr_html_()
    store.export_png(tmp_path / 'png')
    folder = AttentionStore.open(tmp_path / 'png')
    assert list(pictures(folder._repr_html_()))[-1] == (
        'im9: attention; class 0, class 1'
    )


def test_a_project_that_was_moved_still_shows_its_images(store, tmp_path):
    shown = store._repr_html_()
    moved = tmp_path.with_name(f'{tmp_path.name}_moved')
    tmp_path.rename(moved)
    assert AttentionStore.load(moved / store.path.name)._repr_html_() == shown


def test_absent_and_broken_images_leave_the_maps(store, images):
    Path(images['im4']).write_text('no image')
    Path(images['im9']).unlink()
    shown = store._repr_html_()
    assert '(2 without the image, which is not found)' in shown
    found = pictures(shown)
    assert 'im2: image, attention; dog & co' in found
    drawn = tile(found['im4: attention; dog & co'], 0, 2 * HEIGHT)
    assert drawn[:, -HEIGHT // 2 :].max() < 8  # black without attention
    assert drawn[:, : HEIGHT // 2, 1].min() > 150


def test_only_the_maps_that_are_shown_are_read(store, monkeypatch):
    read = []
    monkeypatch.setattr(
        AttentionStore,
        '__getitem__',
        lambda self, pair: read.append(pair) or self.data[pair],
    )
    store._repr_html_()
    assert len(read) == 7


def test_what_cannot_be_drawn_says_why(store):
    store.metadata[DATA_SET] = {'classes': ['<cat>'], 'images': []}
    shown = store._repr_html_()
    assert shown.startswith('<p>AttentionStore cannot be drawn. ValueError: ')
    assert '&lt;cat&gt;' in shown
    assert '0 attention maps, 0 images' in AttentionStore()._repr_html_()


def test_labels_are_shown_over_their_images(images, tmp_path):
    label = np.zeros((30, 60), np.uint8)
    label[:, :20], label[:, 40:] = 1, 255
    for image_id in images:
        write_mask(tmp_path / f'out/labels/{image_id}.png', label)
    (tmp_path / 'out/train.txt').write_text('im0\n')
    data = record_data(images, tmp_path / 'out', classes=CLASSES)
    made = Manifest(
        tool='make_pseudo_labels', parameters={}, inputs={}, data_set=data
    )
    write_manifest(tmp_path / 'out/manifest.json', made)
    labels = LabelFolder(tmp_path / 'out')
    assert list(labels) == sorted(images)
    assert len(labels) == 10
    assert np.array_equal(labels['im3'], label)
    with pytest.raises(KeyError):
        labels['im10']
    found = pictures(labels._repr_html_())
    assert len(found) == 6
    picture = found['im4: image, label; cat']
    inner = tile(picture, 0, 2 * HEIGHT)[9:-9, 9:-9]  # JPEG blurs the rim
    assert abs(inner - 80).max() < 8
    red, middle, white = np.split(tile(picture, 1, 2 * HEIGHT), 3, axis=1)
    inner = red[9:-9, 9:70]
    excess = inner[..., 0] - inner[..., 1]
    assert excess.min() > 50
    assert middle[9:-9, 10:70].max() < 50  # 0.4 of the image
    assert white[9:-9, 10:-9].min() > 130
    # Labels of others have no manifest.
    foreign = LabelFolder(tmp_path / 'out/labels')
    assert foreign.data.classes == CLASSES
    (tmp_path / 'out/manifest.json').unlink()
    foreign = LabelFolder(tmp_path / 'out/labels')
    assert {*pictures(foreign._repr_html_())} >= {'im0: label; class 0'}


def test_a_large_photograph_is_drawn_small(tmp_path):
    image = np.zeros((1200, 900, 3), np.uint8)
    write_image(tmp_path / 'photo.jpg', image)
    store = AttentionStore({('photo', 0): np.full((40, 30), 255, np.uint8)})
    files = {'photo': str(tmp_path / 'photo.jpg')}
    store.metadata[DATA_SET] = record_data(files, tmp_path, classes=CLASSES)
    shown = store._repr_html_()
    (picture,) = pictures(shown).values()
    assert picture.shape[0] == TOP + HEIGHT + MARGIN
    assert read_image(files['photo']).shape == image.shape
    assert len(shown) < 10_000


def test_stores_draw_without_further_imports(store):
    """The room of the pictures is imported when the first is drawn."""
    code = (
        'import sys; from oaa_mm.attention import AttentionStore; '
        "assert 'oaa_mm.visualization' not in sys.modules; "
        f'shown = AttentionStore.load({str(store.path)!r})._repr_html_(); '
        "assert shown.count('<img') == 6"
    )
    subprocess.run([sys.executable, '-c', code], check=True)
