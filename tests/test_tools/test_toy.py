from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from toy import TOY_CLASSES, make_toy_voc, toy_sample
from toy.catalogue import COLORS, PARTS
from toy.scene import SIZES

from oaa_mm.io import read_mask
from oaa_mm.tags import read_labels

LISTS = 'ImageSets/Segmentation'


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    return make_toy_voc(tmp_path_factory.mktemp('toy'), num_train=7, num_val=3)


def lines(path):
    return path.read_text().splitlines()


class TestCatalogue:
    def test_no_color_tells_a_class(self):
        # Partial evidence: every colour belongs to at least two classes.
        for color in COLORS:
            users = [
                name
                for name, parts in PARTS.items()
                if any(part.color == color for part in parts)
            ]
            assert len(users) >= 2, color


class TestToySample:
    @settings(max_examples=25, deadline=None)
    @given(
        seed=st.integers(0, 2**31),
        split=st.sampled_from(['train', 'val']),
        index=st.integers(0, 10**5),
    )
    def test_invariants(self, seed, split, index):
        sample = toy_sample(seed, split, index)
        shape = sample.mask.shape
        assert shape in SIZES
        assert sample.image.shape == (*shape, 3)
        assert sample.saliency.shape == shape
        dtypes = {
            a.dtype for a in (sample.image, sample.mask, sample.saliency)
        }
        assert dtypes == {np.dtype(np.uint8)}
        # Labels, mask and boxes say the same, and each class is visible.
        assert 1 <= len(sample.labels) <= 3
        values, counts = np.unique(sample.mask, return_counts=True)
        assert tuple(values) == (0, *(c + 1 for c in sample.labels))
        assert counts[1:].min() >= 0.03 * sample.mask.size
        assert {c for c, _ in sample.objects} == set(sample.labels)
        boxed = np.zeros_like(sample.mask)
        for label, (x0, y0, x1, y1) in sample.objects:
            window = sample.mask[y0:y1, x0:x1]
            assert (window == label + 1).any()
            boxed[y0:y1, x0:x1] = 1
        assert boxed[sample.mask > 0].all()
        assert sample.saliency.max() > 128

    def test_same_arguments_give_the_same_pixels(self):
        first, second = toy_sample(3, 'train', 5), toy_sample(3, 'train', 5)
        np.testing.assert_array_equal(first.image, second.image)
        np.testing.assert_array_equal(first.mask, second.mask)
        np.testing.assert_array_equal(first.saliency, second.saliency)

    @pytest.mark.parametrize(
        'other', [(4, 'train', 5), (3, 'val', 5), (3, 'train', 6)]
    )
    def test_each_argument_matters(self, other):
        first, second = toy_sample(3, 'train', 5), toy_sample(*other)
        assert not np.array_equal(first.image, second.image)

    def test_six_images_hold_every_class(self):
        for start in (0, 6):
            samples = [toy_sample(0, 'val', start + i) for i in range(6)]
            present = {c for sample in samples for c in sample.labels}
            assert present == set(range(6))

    def test_saliency_is_imperfect_but_informative(self):
        samples = [toy_sample(0, 'train', i) for i in range(40)]
        errors = [((s.saliency > 127) != (s.mask > 0)).mean() for s in samples]
        assert 0.005 < np.mean(errors) < 0.1

    def test_wrong_arguments(self):
        with pytest.raises(ValueError, match="got 'test'"):
            toy_sample(0, 'test', 0)
        with pytest.raises(ValueError, match='index should be an int'):
            toy_sample(0, 'val', -1)


class TestMakeToyVoc:
    def test_lists_and_files_agree(self, toy):
        train = lines(toy / LISTS / 'train_aug.txt')
        val = lines(toy / LISTS / 'val.txt')
        assert train == [f'train_{i:04d}' for i in range(7)]
        assert val == [f'val_{i:04d}' for i in range(3)]
        for folder in (
            'JPEGImages',
            'SegmentationClassAug',
            'Annotations',
            'SaliencyMaps',
        ):
            stems = sorted(f.stem for f in (toy / folder).iterdir())
            assert stems == train + val
        assert tuple(lines(toy / 'classes.txt')) == TOY_CLASSES

    def test_every_source_of_labels_agrees(self, toy):
        samples = {f'train_{i:04d}': toy_sample(0, 'train', i).labels
                   for i in range(7)}  # fmt: skip
        assert read_labels(toy / LISTS / 'train_cls.txt').labels == samples
        names = read_labels(toy / 'Annotations', classes=TOY_CLASSES).labels
        masks = read_labels(
            toy / 'SegmentationClassAug', classes=TOY_CLASSES
        ).labels
        assert names == masks
        assert {i: names[i] for i in samples} == samples

    def test_files_hold_the_sample(self, toy):
        sample = toy_sample(0, 'val', 2)
        mask = toy / 'SegmentationClassAug/val_0002.png'
        np.testing.assert_array_equal(read_mask(mask), sample.mask)
        assert Image.open(mask).mode == 'P'
        saliency = np.array(Image.open(toy / 'SaliencyMaps/val_0002.png'))
        np.testing.assert_array_equal(saliency, sample.saliency)
        image = np.array(Image.open(toy / 'JPEGImages/val_0002.jpg'))
        error = np.abs(image.astype(int) - sample.image)
        assert image.shape == sample.image.shape
        assert error.mean() < 8  # JPEG

    def test_boxes_follow_voc(self, toy):
        root = ElementTree.parse(toy / 'Annotations/train_0001.xml').getroot()
        sample = toy_sample(0, 'train', 1)
        found = [
            (
                obj.findtext('name'),
                [int(n.text) for n in obj.find('bndbox')],
            )
            for obj in root.iter('object')
        ]
        # VOC counts from 1 and its ends are inclusive.
        assert found == [
            (TOY_CLASSES[c], [x0 + 1, y0 + 1, x1, y1])
            for c, (x0, y0, x1, y1) in sample.objects
        ]
        assert int(root.findtext('size/height')) == sample.mask.shape[0]
        assert int(root.findtext('size/width')) == sample.mask.shape[1]

    def test_a_second_run_replaces_the_first(self, toy, tmp_path):
        make_toy_voc(tmp_path, num_train=1, num_val=1, seed=1)
        make_toy_voc(tmp_path, num_train=2, num_val=1, seed=0)
        for name in ('train_0000', 'train_0001'):
            file = f'JPEGImages/{name}.jpg'
            assert (tmp_path / file).read_bytes() == (toy / file).read_bytes()

    def test_a_smaller_set_leaves_nothing_of_a_larger_one(self, tmp_path):
        make_toy_voc(tmp_path, num_train=4, num_val=3)
        foreign = [
            'JPEGImages/train_photo.jpg',
            'JPEGImages/train_0003.png',  # images of the toy are JPEGs
            'JPEGImages/2007_000032.jpg',
            'SaliencyMaps/val_0002_old.png',
            'Annotations/xtrain_0003.xml',
            'train_0003.jpg',
            'attention/train_0003.png',
        ]
        for name in foreign:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text('mine')
        make_toy_voc(tmp_path, num_train=2, num_val=1)
        ids = ['train_0000', 'train_0001', 'val_0000']
        folders = {
            'JPEGImages': 'jpg',
            'SegmentationClassAug': 'png',
            'SaliencyMaps': 'png',
            'Annotations': 'xml',
        }
        expected = {
            f'{folder}/{i}.{suffix}'
            for folder, suffix in folders.items()
            for i in ids
        }
        left = {
            str(path.relative_to(tmp_path))
            for path in tmp_path.rglob('*')
            if path.is_file() and path.suffix != '.txt'
        }
        assert left == expected | set(foreign)
        assert lines(tmp_path / LISTS / 'train_aug.txt') == ids[:2]

    def test_refuses_a_folder_with_other_files(self, tmp_path):
        own = tmp_path / LISTS / 'val.txt'
        own.parent.mkdir(parents=True)
        own.write_text('2007_000032\n')
        with pytest.raises(ValueError, match='holds no toy data set'):
            make_toy_voc(tmp_path, num_train=1, num_val=1)
        assert [p for p in tmp_path.rglob('*') if p.is_file()] == [own]

    def test_refuses_a_file(self, tmp_path):
        path = tmp_path / 'out'
        path.write_text('')
        with pytest.raises(ValueError, match='is a file'):
            make_toy_voc(path)

    @pytest.mark.parametrize(
        'wrong', [{'num_train': 0}, {'num_val': -1}, {'seed': -3}]
    )
    def test_refuses_numbers_out_of_range(self, tmp_path, wrong):
        with pytest.raises(ValueError, match=r'should be an integer in'):
            make_toy_voc(tmp_path / 'out', **wrong)
        assert not (tmp_path / 'out').exists()
