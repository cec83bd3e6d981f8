"""Images, masks and saliency maps that are broken or malicious."""

import io

import numpy as np
import pytest
from hostile import (
    bounded_memory,
    cases,
    mutated,
    nothing_is_run,
    only_documented,
)
from hypothesis import given
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.datasets.files import inspect_image
from oaa_mm.doctor.files import FileFacts, read_facts
from oaa_mm.evaluation import evaluate_labels
from oaa_mm.io import read_grey, read_image, read_mask
from oaa_mm.pseudo_labels.folder import make_label_folder

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


def encoded(form, mode='RGB', **options):
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    with bounded_memory():
        yield tmp_path_factory.mktemp('images')


PHOTOS = [encoded('JPEG'), encoded('PNG'), encoded('BMP'), encoded('TIFF'),
          encoded('GIF'), encoded('WEBP')]  # fmt: skip
MAPS = [encoded('PNG', mode) for mode in ('L', 'P', '1', 'RGB', 'RGBA')]


@pytest.mark.parametrize(
    ('read', 'contents'),
    [
        (inspect_image, PHOTOS),
        (read_image, PHOTOS),
        (read_mask, MAPS),
        (read_grey, MAPS),
    ],
)
def test_damaged_images(folder, read, contents):
    path = folder / f'{read.__name__}.png'

    @cases(100)
    @given(mutated(contents))
    def run(content):
        path.write_bytes(content)
        with only_documented(path), nothing_is_run():
            read(path)

    run()


def test_the_doctor_raises_nothing(folder):
    path = folder / 'probed.png'

    @cases(100)
    @given(mutated([*PHOTOS, *MAPS]))
    def run(content):
        path.write_bytes(content)
        for kind in ('images', 'masks', 'saliency'):
            with nothing_is_run():
                read_facts({'a': FileFacts(str(path))}, kind)

    run()


def test_bombs(folder, png_bomb, eps_bomb):
    path = folder / 'bomb.png'
    for bomb in (png_bomb, eps_bomb):
        path.write_bytes(bomb)
        with bounded_memory(50), nothing_is_run():
            for read in (inspect_image, read_mask, read_grey, read_image):
                with pytest.raises(ValueError, match=r'bomb\.png'):
                    read(path)
            files = {'bomb': FileFacts(str(path))}
            assert not read_facts(files, 'images')['bomb'].usable


@pytest.fixture(scope='module')
def label_inputs(folder):
    store = AttentionStore()
    store['one', 0] = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    store.save(folder / 'maps.safetensors')
    for name in ('img', 'saliency', 'masks'):
        (folder / name).mkdir()
    (folder / 'img/one.jpg').write_bytes(PHOTOS[0])
    (folder / 'list.txt').write_text('one\n')
    return folder


def test_damaged_saliency_maps(label_inputs):
    folder = label_inputs
    path = folder / 'saliency/one.png'
    contents = [*MAPS[:4], encoded('JPEG', 'L')]

    @cases(100)
    @given(mutated(contents))
    def run(content):
        path.write_bytes(content)
        with only_documented(path), nothing_is_written_outside(folder):
            make_label_folder(
                folder / 'maps.safetensors', folder / 'out',
                img_dir=folder / 'img', saliency_dir=folder / 'saliency',
                class_names=('a',), overwrite=True,
            )  # fmt: skip

    run()


class nothing_is_written_outside:  # noqa: N801
    """Fail where a file appears beside the known folders."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.before = set(self.folder.iterdir()) | {self.folder / 'out'}

    def __exit__(self, *_):
        assert set(self.folder.iterdir()) <= self.before


def test_damaged_masks(label_inputs):
    folder = label_inputs
    path = folder / 'masks/one.png'
    masks = {'one': path}
    (folder / 'labels').mkdir()
    Image.fromarray(PIXELS[..., 0] % 2).save(folder / 'labels/one.png')

    @cases(100)
    @given(mutated(MAPS[:2]))
    def run(content):
        path.write_bytes(content)
        with only_documented(path), nothing_is_run():
            evaluate_labels({'one': folder / 'labels/one.png'}, masks, ['a'])

    run()
