"""The doctor on real files: a good data set, broken one way at a time."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from toy import TOY_CLASSES, make_toy_voc

from oaa_mm.doctor import (
    Finding,
    check_dataset,
    print_findings,
    save_findings,
    splits_from_folders,
)
from oaa_mm.doctor.files import FileFacts, read_facts
from oaa_mm.doctor.split import load_split
from oaa_mm.io import read_mask, write_mask

LISTS = 'ImageSets/Segmentation'
VOC_MINI = Path(__file__).resolve().parents[2] / '../shared/data/voc_mini'


@pytest.fixture(scope='module')
def original(tmp_path_factory):
    return make_toy_voc(
        tmp_path_factory.mktemp('data') / 'toy', num_train=6, num_val=2
    )


@pytest.fixture
def toy(original, tmp_path):
    return shutil.copytree(original, tmp_path / 'toy')


def check(root, classes=TOY_CLASSES, **options):
    options.setdefault('train_list', f'{LISTS}/train_cls.txt')
    options.setdefault('val_list', f'{LISTS}/val.txt')
    splits = splits_from_folders(root, **options)
    findings = check_dataset(splits, classes=classes, workers=2)
    return [f for f in findings if f.severity != 'info']


def facts(path, kind='images', num_classes=None):
    files = {'a': FileFacts(str(path))}
    return read_facts(files, kind, num_classes)['a']


class TestFileFacts:
    def test_image(self, original):
        path = original / 'JPEGImages/train_0000.jpg'
        file = facts(path)
        width, height = Image.open(path).size
        assert file.usable
        assert (file.size, file.mode) == ((height, width), 'RGB')
        assert file.values == ()

    def test_exif_rotation_swaps_the_sides(self, tmp_path):
        path = tmp_path / 'a.jpg'
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new('RGB', (30, 20)).save(path, exif=exif)
        file = facts(path)
        assert file.rotated
        assert file.size == (30, 20)  # height, width as shown

    def test_digest_is_that_of_the_content(self, original, tmp_path):
        source = original / 'JPEGImages/train_0000.jpg'
        copy = shutil.copy(source, tmp_path / 'copy.jpg')
        other = original / 'JPEGImages/train_0001.jpg'
        digests = [facts(path).digest for path in (source, copy, other)]
        assert digests[0] == digests[1] != digests[2]

    def test_mask_values_and_palette(self, tmp_path):
        path = tmp_path / 'mask.png'
        write_mask(path, np.array([[3, 0], [255, 3]], np.uint8))
        file = facts(path, 'masks')
        assert file.values == (0, 3, 255)
        assert file.voc_palette
        # Another colour of a value that occurs, and of one that does not.
        for value, same in ((3, False), (9, True)):
            image = Image.open(path)
            palette = image.getpalette()
            palette[3 * value] += 1
            image.putpalette(palette)
            image.save(tmp_path / 'other.png')
            other = facts(tmp_path / 'other.png', 'masks')
            assert other.voc_palette is same

    def test_short_palette(self, tmp_path):
        image = Image.fromarray(np.array([[0, 1]], np.uint8))
        image.putpalette([0, 0, 0, 128, 0, 0])
        image.save(tmp_path / 'a.png')
        assert facts(tmp_path / 'a.png', 'masks').voc_palette

    def test_colour_saliency_is_read_as_grey(self, tmp_path):
        Image.new('RGB', (3, 2), (77, 77, 77)).save(tmp_path / 'a.png')
        assert facts(tmp_path / 'a.png', 'saliency').values == (77,)

    def test_order_is_kept(self, original):
        paths = sorted(map(str, (original / 'JPEGImages').iterdir()))
        files = {path: FileFacts(path) for path in paths}
        found = read_facts(files, 'images', workers=3)
        assert [file.path for file in found.values()] == paths

    def test_wrong_number_of_workers(self):
        with pytest.raises(ValueError, match=r'in \[1, inf\).*got 0'):
            read_facts({}, 'images', workers=0)


class TestCheckDataset:
    @pytest.mark.parametrize('labels', [None, 'Annotations'])
    def test_good(self, original, labels):
        assert not check(original, labels=labels)

    def test_truncated_foreign_and_absent_images(self, toy):
        folder = toy / 'JPEGImages'
        cut = folder / 'train_0001.jpg'
        cut.write_bytes(cut.read_bytes()[:2000])
        (folder / 'train_0002.jpg').write_text('<html>404</html>')
        (folder / 'val_0001.jpg').unlink()
        broken, absent = check(toy)
        assert {f.severity for f in (broken, absent)} == {'error'}
        assert '2 of 6 images cannot be used. Replace' in broken.message
        assert broken.items[0].startswith(f'{cut}: not a readable image')
        assert 'truncated' in broken.items[0]
        assert 'train_0002.jpg: not a readable image' in broken.items[1]
        assert '1 of 2 listed images do not exist. Check' in absent.message

    def test_damaged_png(self, toy):
        path = toy / 'SegmentationClassAug/val_0000.png'
        data = bytearray(path.read_bytes())
        data[-20] ^= 255  # within the pixels: the checksum is wrong
        path.write_bytes(data)
        (found,) = check(toy)
        assert (found.severity, found.check) == ('error', 'masks')
        assert 'val_0000.png' in found.items[0]

    def test_mask_of_another_size_and_value(self, toy):
        path = toy / 'SegmentationClassAug/train_0003.png'
        mask = read_mask(path)
        mask[0, 0] = 21
        write_mask(path, mask[:-1])
        (found,) = check(toy)
        assert found.items[0].startswith(f'{path}: ')
        assert '21, but a mask may hold' in found.items[0]
        mask[0, 0] = 0
        write_mask(path, mask[:-1])
        (found,) = check(toy)
        assert 'another size' in found.message

    def test_mask_saved_in_colour(self, toy):
        path = toy / 'SegmentationClassAug/val_0001.png'
        Image.open(path).convert('RGB').save(path)
        (found,) = check(toy)
        assert found.items[0].startswith(f'{path} holds RGB pixels')

    def test_binary_saliency(self, toy):
        for path in (toy / 'SaliencyMaps').iterdir():
            grey = np.array(Image.open(path))
            Image.fromarray((grey > 127).astype(np.uint8)).save(path)
        (found,) = check(toy)
        assert (found.severity, found.check) == ('error', 'saliency')
        assert 'only values of 0 and 1' in found.message

    def test_one_saliency_map_in_which_nothing_is_salient(self, toy):
        path = toy / 'SaliencyMaps/train_0000.png'
        grey = np.array(Image.open(path))
        Image.fromarray((grey > 127).astype(np.uint8)).save(path)
        (found,) = check(toy)
        assert (found.severity, found.check) == ('warning', 'saliency')
        assert found.items == (str(path),)

    def test_saliency_of_validation_images_is_not_needed(self, toy):
        (toy / 'SaliencyMaps/val_0000.png').unlink()
        assert not check(toy)
        (toy / 'SaliencyMaps/train_0005.png').unlink()
        (found,) = check(toy)
        assert '1 of 6 saliency maps are absent. Check' in found.message

    def test_image_copied_into_validation(self, toy):
        folders = {'JPEGImages': 'jpg', 'SegmentationClassAug': 'png'}
        for folder, suffix in folders.items():
            shutil.copy(
                toy / folder / f'train_0004.{suffix}',
                toy / folder / f'val_0000.{suffix}',
            )
        (found,) = check(toy)
        assert found.severity == 'warning'
        assert found.items == ('train_0004 = val_0000',)

    def test_index_out_of_range_is_listed_and_not_raised(self, toy):
        with (toy / LISTS / 'train_cls.txt').open('a') as file:
            file.write('val_0000 6\nval_0001 1 17\n')
        found = check(toy, val_list=None)
        errors = [f for f in found if f.severity == 'error']
        (items,) = [f.items for f in errors]
        text = "image '{}': class index {} is out of range; there are 6"
        assert items[0].startswith(text.format('val_0000', 6))
        assert items[1].startswith(text.format('val_0001', 17))

    def test_broken_labels_are_one_finding(self, toy):
        (toy / LISTS / 'train_cls.txt').write_text('train_0000 cat 1\n')
        (found,) = check(toy)
        assert found.severity == 'error'
        assert "'cat' is not a class index" in found.message

    def test_unknown_class_in_xml(self, toy):
        path = toy / 'Annotations/train_0000.xml'
        path.write_text(path.read_text().replace('>fox<', '>wolf<'))
        found = check(toy, labels='Annotations')
        assert {f.check for f in found} == {'labels'}
        assert all("unknown class 'wolf'" in f.message for f in found)

    def test_repeated_line(self, toy):
        with (toy / LISTS / 'val.txt').open('a') as file:
            file.write('val_0000\n')
        (found,) = check(toy)
        assert found.items == ('val_0000 (2 times)',)

    def test_same_list_twice(self, original):
        same = f'{LISTS}/val_cls.txt'
        findings = check(original, train_list=same, val_list=same)
        errors = [f for f in findings if f.severity == 'error']
        assert [f.items for f in errors] == [('val_0000', 'val_0001')]

    def test_absent_list_and_folder(self, original):
        (found,) = check(original, val_list='no.txt')
        assert found.message.endswith('no.txt does not exist')
        train, val = check(original, img_dir='none')
        assert {train.severity, val.severity} == {'error'}
        assert 'train: there is no folder' in train.message

    def test_listed_paths_and_suffixes(self, toy):
        folder = toy / 'JPEGImages'
        (folder / 'sub').mkdir()
        (folder / 'train_0000.jpg').rename(folder / 'sub/train_0000.jpg')
        Image.open(folder / 'train_0001.jpg').save(folder / 'train_0001.png')
        (folder / 'train_0001.jpg').unlink()
        path = toy / LISTS / 'train_cls.txt'
        text = path.read_text()
        for name in ('sub/train_0000', 'train_0001.png', '/x/train_0002.jpg'):
            text = text.replace(Path(name).stem, name)
        path.write_text(text)
        assert not check(toy)

    @pytest.mark.parametrize('labels', [None, 'Annotations'])
    def test_without_list(self, toy, labels):
        # As a config without ann_file: all labelled images, else all.
        (toy / 'Annotations/val_0001.xml').unlink()
        (split,) = splits_from_folders(toy, 'any', labels=labels)
        split = replace(split, list_file=None)
        data = load_split(split, classes=TOY_CLASSES)
        assert len(data.ids) == (7 if labels else 8)
        assert all(file.usable for file in data.files['images'].values())

    def test_empty_list(self, toy):
        (toy / LISTS / 'val.txt').write_text('\n# nothing\n')
        (found,) = check(toy)
        assert 'the list names no image' in found.message

    def test_list_without_labels(self, original):
        (found,) = check(original, train_list=f'{LISTS}/train_aug.txt')
        assert found.severity == 'error'
        assert 'give `labels`' in found.message


class TestLayout:
    def test_nothing_to_check(self, original):
        with pytest.raises(ValueError, match='give --train-list'):
            splits_from_folders(original)

    def test_absent_root_and_folder(self, original, tmp_path):
        with pytest.raises(FileNotFoundError, match=r'data root .*none'):
            splits_from_folders(tmp_path / 'none', 'a.txt')
        with pytest.raises(FileNotFoundError, match=r'no folder .*Saliency'):
            splits_from_folders(original, 'a.txt', saliency_dir='Saliency')

    def test_paths_as_typed(self, original, tmp_path, monkeypatch):
        (tmp_path / 'my.txt').write_text('train_0000 1\n')
        monkeypatch.chdir(tmp_path)
        train, val = splits_from_folders(
            original, 'my.txt', f'{LISTS}/val.txt'
        )
        assert train.list_file == Path('my.txt')
        assert val.list_file == original / LISTS / 'val.txt'


class TestReport:
    findings = [
        Finding('error', 'images', 'two [b]bad[/b]', [f'i{n}' for n in '123']),
        Finding('info', 'list', 'all well', ['quiet']),
    ]

    def printed(self, findings, **options):
        console = Console(width=70, record=True, file=io.StringIO())
        print_findings(findings, console=console, **options)
        return console.export_text()

    def test_items_are_capped_and_markup_is_kept(self):
        text = self.printed(self.findings, limit=2)
        assert 'two [b]bad[/b]' in text
        assert 'i1' in text
        assert 'i2' in text
        assert 'i3' not in text
        assert '... and 1 more' in text
        assert 'quiet' not in text
        assert '1 error, 0 warnings' in text

    def test_long_paths_are_not_cut(self):
        path = '/data/' + 'x' * 150 + '.jpg'
        text = self.printed([Finding('error', 'images', 'one', [path])])
        letters = ''.join(c for c in text if c not in ' │\n')
        assert path in letters

    def test_json_is_complete(self, tmp_path):
        save_findings(tmp_path / 'found.json', self.findings)
        content = json.loads((tmp_path / 'found.json').read_text())
        assert (content['errors'], content['warnings']) == (1, 0)
        assert content['findings'][0] == {
            'severity': 'error',
            'check': 'images',
            'message': 'two [b]bad[/b]',
            'items': ['i1', 'i2', 'i3'],
        }


@pytest.mark.skipif(
    not VOC_MINI.is_dir(), reason='needs the real subset voc_mini'
)
def test_real_data_has_no_error():
    from oaa_mm.tags import VOC_CLASSES

    findings = check(VOC_MINI, classes=VOC_CLASSES)
    assert [f.message for f in findings] == [
        # Six were chosen for the subset.
        'train: 14 of 20 classes never occur; check their names'
    ]
