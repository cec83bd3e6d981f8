"""tools/make_pseudo_labels.py as a user runs it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mmseg.datasets import BaseSegDataset
from other_process import other_process
from PIL import Image

from oaa_mm.attention import AttentionStore, attention_to_image
from oaa_mm.io import read_mask, voc_colormap
from oaa_mm.pseudo_labels import LabelRules, compose_label, workers

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'make_pseudo_labels.py'

#: Image id -> height, width, classes with a map.
IMAGES = {'a': (40, 60, [7]), 'b': (50, 30, [0, 3]), 'c': (36, 36, [11])}


def load_tool():
    spec = importlib.util.spec_from_file_location('tool_pseudo', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blob(height, width, row, column):
    """A hill of 0..255 around a point given as shares of the size."""
    y, x = np.mgrid[:height, :width]
    far = (y / height - row) ** 2 + (x / width - column) ** 2
    return np.rint(255 * np.exp(-far / 0.05)).astype(np.uint8)


def save_grey(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def world(tmp_path):
    """Three images with maps of 5 x 6 and saliency at the same places."""
    rng = np.random.default_rng(0)
    store = AttentionStore()
    for image_id, (height, width, classes) in IMAGES.items():
        pixels = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        save_grey(tmp_path / 'img' / f'{image_id}.jpg', pixels)
        saliency = np.zeros((height, width), np.uint8)
        for number, class_index in enumerate(classes):
            place = 0.3 + 0.4 * number, 0.3 + 0.4 * number
            store[image_id, class_index] = blob(5, 6, *place)
            saliency = np.maximum(saliency, blob(height, width, *place))
        if image_id == 'c':
            saliency[:] = 0  # no foreground: dropped
        save_grey(tmp_path / 'sal' / f'{image_id}.png', saliency)
    store.save(tmp_path / 'store.safetensors')
    (tmp_path / 'ids.txt').write_text('b\na\nc\n')
    return tmp_path


def arguments(world, *more, store='store.safetensors', out='out'):
    return [
        str(world / store), '--img-dir', str(world / 'img'),
        '--out', str(world / out), *map(str, more),
    ]  # fmt: skip


def with_saliency(world, *more, **kwargs):
    return arguments(world, '--saliency-dir', world / 'sal', *more, **kwargs)


def run(argv):
    return load_tool().main(argv)


def expected_label(world, image_id, **kwargs):
    store = AttentionStore.load(world / 'store.safetensors')
    height, width, classes = IMAGES[image_id]
    attention = {
        c: attention_to_image(store[image_id, c], (height, width))
        for c in classes
    }
    saliency = np.asarray(Image.open(world / 'sal' / f'{image_id}.png'))
    return compose_label(attention, saliency=saliency, **kwargs)


def read_label(world, image_id, out='out'):
    return read_mask(world / out / 'labels' / f'{image_id}.png')


def test_labels_list_summary_and_manifest(world, capsys):
    assert not run(with_saliency(world, '--list', world / 'ids.txt'))
    for image_id in IMAGES:
        label = read_label(world, image_id)
        np.testing.assert_array_equal(label, expected_label(world, image_id))
    out = world / 'out'
    assert (out / 'train.txt').read_text() == 'b\na\nc\n'
    with Image.open(out / 'labels' / 'a.png') as image:
        assert image.mode == 'P'
        palette = np.array(image.getpalette()).reshape(-1, 3)
    np.testing.assert_array_equal(palette, voc_colormap())
    summary = json.loads((out / 'summary.json').read_text())
    labels = np.concatenate([read_label(world, i).ravel() for i in IMAGES])
    assert summary['pixels'] == labels.size
    assert summary['share']['cat'] == pytest.approx((labels == 8).mean())
    assert summary['share']['cat'] > 0
    assert summary['share']['background'] == (labels == 0).mean()
    assert summary['share']['ignored'] == (labels == 255).mean()
    assert (summary['images'], summary['dropped']) == (3, ['c'])
    assert summary['images_with']['cat'] == 1
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['parameters']['fg_threshold'] == 0.3
    assert manifest['inputs']['saliency']['count'] == 3
    assert set(manifest['inputs']) == {'store', 'images', 'list', 'saliency'}
    text = capsys.readouterr().out
    assert '3 images (0 were there already); 1 have too little' in text


def test_mmseg_reads_the_folder_by_two_entries(world):
    run(with_saliency(world, '--list', world / 'ids.txt'))
    dataset = BaseSegDataset(
        ann_file=str(world / 'out/train.txt'),
        data_prefix={
            'img_path': str(world / 'img'),
            'seg_map_path': str(world / 'out/labels'),
        },
    )
    found = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [Path(info['img_path']).stem for info in found] == ['b', 'a', 'c']
    for info in found:
        assert Path(info['seg_map_path']).is_file()


def test_constants_and_background_arrive(world):
    constants = {
        'alpha': 2.0, 'theta': 0.45, 'fg_threshold': 0.5,
        'conflict_threshold': 0.6, 'bg_threshold': 0.3,
        'attention_threshold': 0.7, 'min_foreground': 0.0,
    }  # fmt: skip
    assert set(constants) == {c.name for c in LabelRules.constants()}
    options = []
    for name, value in constants.items():
        options += [f'--{name.replace("_", "-")}', value]
    run(with_saliency(world, *options))
    expected = expected_label(world, 'b', **constants)
    np.testing.assert_array_equal(read_label(world, 'b'), expected)
    assert (expected != expected_label(world, 'b')).any()
    run(arguments(world, '--background', 'power', *options, out='power'))
    assert (read_label(world, 'b', 'power') != expected).any()


def test_folder_of_pngs_gives_the_same(world):
    store = AttentionStore.load(world / 'store.safetensors')
    store.export_png(world / 'maps')
    run(with_saliency(world))
    run(with_saliency(world, store='maps', out='second'))
    assert (world / 'second/train.txt').read_text() == 'a\nb\nc\n'
    for image_id in IMAGES:
        np.testing.assert_array_equal(
            read_label(world, image_id), read_label(world, image_id, 'second')
        )


def test_goes_on_where_it_stopped(world, capsys, monkeypatch):
    make = workers.write_mask

    def interrupted(path, label):
        if path.stem == 'b':
            raise KeyboardInterrupt
        make(path, label)

    monkeypatch.setattr(workers, 'write_mask', interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(with_saliency(world))
    out = world / 'out'
    assert [p.name for p in (out / 'labels').iterdir()] == ['a.png']
    assert not (out / 'train.txt').exists()
    made = []

    def counted(path, label):
        made.append(path.stem)
        make(path, label)

    monkeypatch.setattr(workers, 'write_mask', counted)
    run(with_saliency(world))
    assert made == ['b', 'c']
    assert '3 images (1 were there already)' in capsys.readouterr().out
    first = json.loads((out / 'summary.json').read_text())
    # A damaged file is none, and neither is one of another size.
    path = out / 'labels' / 'a.png'
    path.write_bytes(path.read_bytes()[:-40])
    made.clear()
    run(with_saliency(world))
    assert made == ['a']
    assert json.loads((out / 'summary.json').read_text()) == first


def test_parameters_never_mix(world):
    run(with_saliency(world))
    path = world / 'out/labels/a.png'
    before = path.read_bytes()
    other = with_saliency(world, '--fg-threshold', '0.4')
    with pytest.raises(
        ValueError, match=r'parameter fg_threshold: 0\.3 -> 0\.4'
    ):
        run(other)
    assert path.read_bytes() == before
    store = AttentionStore.load(world / 'store.safetensors')
    store['a', 7] = store['a', 7][::-1]
    store.save(world / 'store.safetensors')
    with pytest.raises(ValueError, match='input store: 1 file'):
        run(with_saliency(world))
    run([*other, '--overwrite'])
    expected = expected_label(world, 'a', fg_threshold=0.4)
    np.testing.assert_array_equal(read_label(world, 'a'), expected)
    run(other)  # now these are the folder's parameters


def test_foreign_pngs_are_never_touched(world):
    path = world / 'out/labels/mine.png'
    path.parent.mkdir(parents=True)
    path.write_bytes(b'precious')
    for more in ([], ['--overwrite']):
        with pytest.raises(ValueError, match='holds 1 PNG files, but no'):
            run(with_saliency(world, *more))
    assert path.read_bytes() == b'precious'


@pytest.mark.parametrize('missing', [1, 2])
def test_missing_saliency_is_an_error_before_work_starts(world, missing):
    for image_id in ('b', 'c')[:missing]:
        (world / 'sal' / f'{image_id}.png').unlink()
    with pytest.raises(FileNotFoundError) as error:
        run(with_saliency(world))
    text = str(error.value)
    assert f'{missing} of 3 saliency maps are absent' in text
    assert ('c.png' in text) == (missing == 2)
    assert 'b.png' in text
    assert not (world / 'out').exists()


def shrink_saliency(world):
    save_grey(world / 'sal/a.png', np.zeros((4, 6), np.uint8))


def color_saliency(world):
    Image.new('RGB', (60, 40), (255, 0, 0)).save(world / 'sal/a.png')


@pytest.mark.parametrize(
    ('change', 'more', 'message'),
    [
        (shrink_saliency, [], r'a\.png is 6x4 pixels, .* is 60x40'),
        (color_saliency, [], r'a\.png shows colours'),
        (
            lambda world: (world / 'img/b.jpg').unlink(),
            [],
            r'1 of 3 listed images do not exist: .*b\.\*',
        ),
        (
            lambda world: (world / 'img/b.jpg').write_bytes(b'no'),
            [],
            r'cannot be used: .*b\.jpg: not a readable image',
        ),
        (None, ['--classes', 'x,y'], 'of class 11, but there are 2 classes'),
        (
            None,
            ['--workers', '0'],
            r'workers should .* in \[1, inf\)',
        ),
        (
            None,
            ['--refine', 'par', '--refine-options', 'a=1'],
            'an option of',
        ),
        (None, ['--background', 'power'], "'power' takes no saliency maps"),
    ],
)
def test_errors_before_work_starts(world, change, more, message):
    if change is not None:
        change(world)
    with pytest.raises((ValueError, OSError), match=message):
        run(with_saliency(world, *more))
    assert not (world / 'out').exists()


def test_background_saliency_needs_a_folder(world):
    with pytest.raises(ValueError, match='--saliency-dir'):
        run(arguments(world))


def test_images_without_maps(world):
    (world / 'ids.txt').write_text('a\nd\n')
    Image.new('RGB', (20, 30)).save(world / 'img/d.jpg')
    save_grey(world / 'sal/d.png', np.zeros((30, 20), np.uint8))
    argv = with_saliency(world, '--list', world / 'ids.txt')
    with pytest.raises(ValueError, match='no map for 1 of 2 images: d'):
        run(argv)
    run([*argv, '--allow-missing'])
    label = read_label(world, 'd')
    assert label.shape == (30, 20)
    assert (label == 255).all()
    (world / 'ids.txt').write_text('d\n')
    with pytest.raises(ValueError, match='store of another data set'):
        run([*argv, '--allow-missing', '--overwrite'])


def test_refinement_by_the_image(world):
    run(with_saliency(world))
    options = ['--refine', 'par', '--refine-options', 'iterations=2']
    run(with_saliency(world, *options, out='par'))
    plain, refined = (read_label(world, 'a', out) for out in ('out', 'par'))
    assert plain.shape == refined.shape
    assert (plain != refined).any()
    content = json.loads((world / 'par/manifest.json').read_text())
    assert content['parameters']['refine_options'] == {'iterations': 2}


def write_regions(world):
    """A grid of 4 x 4 regions on each image, as masks of a segmenter."""
    (world / 'masks').mkdir()
    for image_id, (height, width, _) in IMAGES.items():
        y, x = np.mgrid[:height, :width]
        grid = y * 4 // height * 4 + x * 4 // width
        masks = [grid == number for number in range(16)]
        np.savez(world / f'masks/{image_id}.npz', masks=masks)
    return ['--refine', 'regions', '--regions-dir', world / 'masks']


def test_masks_of_a_folder_are_regions(world):
    options = [*write_regions(world), '--background', 'power']
    run(arguments(world, *options))
    store = AttentionStore.load(world / 'store.safetensors')
    for image_id, (height, width, classes) in IMAGES.items():
        maps = [
            attention_to_image(store[image_id, c], (height, width)) / 255
            for c in classes
        ]
        scores = np.stack([(1 - np.max(maps, 0)) ** 4, *maps])
        expected = np.zeros((height, width), int)
        for mask in np.load(world / f'masks/{image_id}.npz')['masks']:
            means = scores[:, mask].mean(1)
            best = means.argmax()
            sure = best == 0 or means[best] >= 0.3
            values = [0, *(c + 1 for c in classes)]
            expected[mask] = values[best] if sure else 255
        np.testing.assert_array_equal(read_label(world, image_id), expected)
        assert len(np.unique(expected)) > 1
    content = json.loads((world / 'out/manifest.json').read_text())
    assert content['parameters']['refine'] == 'regions'
    assert content['inputs']['regions']['count'] == 3
    # Other masks are another input, and a chain is another parameter.
    height, width, _ = IMAGES['a']
    np.savez(world / 'masks/a.npz', masks=[np.eye(height, width, dtype=bool)])
    with pytest.raises(ValueError, match='input regions: '):
        run(arguments(world, *options))
    with pytest.raises(ValueError, match='refine: regions -> regions,par'):
        run(arguments(world, *options, '--refine', 'regions,par'))


@pytest.mark.parametrize(
    ('change', 'more', 'message'),
    [
        (lambda path: path.unlink(), [], r'1 of 3 files of regions .*b\.npz'),
        (
            lambda path: np.savez(path, masks=np.ones((1, 30, 50), bool)),
            [],
            'b.npz has regions of 50x30 pixels, but the image has 30x50',
        ),
        (lambda path: path.write_bytes(b'x'), [], 'b.npz holds no regions'),
        (None, ['--refine', 'par'], "has no step 'regions'"),
    ],
)
def test_regions_are_checked_before_work_starts(world, change, more, message):
    options = write_regions(world)
    if change is not None:
        change(world / 'masks/b.npz')
    with pytest.raises((ValueError, OSError), match=message):
        run(with_saliency(world, *options, *more))
    assert not (world / 'out').exists()


def test_processes_make_the_same_labels(world):
    run(with_saliency(world))
    argv = with_saliency(world, '--workers', '2', out='two')
    done = subprocess.run(
        [sys.executable, str(TOOL), *argv],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for image_id in IMAGES:
        name = f'labels/{image_id}.png'
        two = (world / 'two' / name).read_bytes()
        assert two == (world / 'out' / name).read_bytes()


@pytest.mark.parametrize('targets', [(), ('--targets', 'store.safetensors')])
def test_parts_make_the_whole(world, capsys, monkeypatch, targets):
    monkeypatch.chdir(world)
    run(with_saliency(world, *targets))
    for part in ('2/2', '1/2'):
        run(with_saliency(world, *targets, '--part', part, out='parts'))
        assert f'part {part[0]} of 2 is done' in capsys.readouterr().out
        assert not (world / 'parts/train.txt').exists()
    run(with_saliency(world, *targets, out='parts'))
    assert '(3 were there already)' in capsys.readouterr().out
    for name in ['train.txt', *(f'labels/{i}.png' for i in IMAGES)]:
        same = (world / 'out' / name).read_bytes()
        assert (world / 'parts' / name).read_bytes() == same
    with pytest.raises(ValueError, match=r'part should be .* \[1, 2\], .* 3'):
        run(with_saliency(world, '--part', '3/2', out='parts'))


def test_parts_work_side_by_side_and_nobody_works_twice(world):
    out = world / 'out'
    part = with_saliency(world, '--part', '1/2')
    with other_process(out, 'labels_2_of_2') as pid:
        run(part)
        with pytest.raises(OSError, match=f'in use .* process {pid}'):
            run(with_saliency(world, '--part', '2/2'))
        with pytest.raises(OSError, match='labels_2_of_2.lock'):
            run(with_saliency(world))  # all of it, beside a part
    with other_process(out, 'labels'), pytest.raises(OSError, match='in use'):
        run(part)
    assert not (out / 'train.txt').exists()
    run(with_saliency(world))
    assert (out / 'train.txt').is_file()
    left = {path.name for path in out.glob('.*.lock')}
    assert left == {'.labels_2_of_2.lock'}  # of a process that was killed


def test_help_explains_the_folder(capsys):
    with pytest.raises(SystemExit) as stop:
        run(['--help'])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert 'seg_map_path=OUT/labels' in text
    assert 'ann_file=OUT/train.txt' in text
    assert '--bg-threshold' in text
    assert 'python tools/make_pseudo_labels.py' in text


@pytest.mark.parametrize('accepted', [False, True])
def test_maps_of_oaa_plus_that_miss_their_targets(world, capsys, accepted):
    """The store of the world is the target; OAA+ knows a quarter of it."""
    targets = AttentionStore.load(world / 'store.safetensors')
    poor = AttentionStore()
    for pair in targets:
        poor[pair] = targets[pair] // 4
    poor.save(world / 'oaa_plus.safetensors')
    checked = ['--targets', world / 'store.safetensors']
    if accepted:
        checked.append('--accept-oaa-plus')
    run(with_saliency(world, *checked, store='oaa_plus.safetensors'))
    text = capsys.readouterr().out
    assert 'OAA+ reproduces its targets poorly' in text
    assert 'soft IoU of the maps with their targets 0.2' in text
    remedy = f'labels are made of {world / "store.safetensors"}, and'
    assert (remedy in text) is not accepted
    made = world / 'out/manifest.json'
    manifest = json.loads(made.read_text())
    assert manifest['results']['soft_iou'] == pytest.approx(0.25, abs=0.01)
    used = 'oaa_plus' if accepted else 'store'
    assert manifest['inputs']['store']['path'].endswith(f'{used}.safetensors')


def test_targets_without_an_image_that_was_never_accepted(world):
    maps = AttentionStore.load(world / 'store.safetensors')
    some, poor = AttentionStore(), AttentionStore()
    for pair in maps:
        poor[pair] = maps[pair] // 4
        if pair[0] != 'b':
            some[pair] = maps[pair]
    some.save(world / 'targets.safetensors')
    poor.save(world / 'oaa_plus.safetensors')
    checked = ['--targets', world / 'targets.safetensors']
    checked += ['--list', world / 'ids.txt']
    run(with_saliency(world, *checked, store='oaa_plus.safetensors'))
    labels = {
        image_id: np.asarray(Image.open(world / f'out/labels/{image_id}.png'))
        for image_id in IMAGES
    }
    assert (labels['b'] == 255).all()
    np.testing.assert_array_equal(labels['a'], expected_label(world, 'a'))


@pytest.mark.parametrize('alone', [False, True])
def test_maps_of_oaa_plus_that_have_learnt(world, capsys, alone):
    """The labels are those of the mean with the targets, or of OAA+ alone."""
    targets = AttentionStore.load(world / 'store.safetensors')
    learnt, means = AttentionStore(), AttentionStore()
    for pair, target in targets.items():
        moved = np.roll(target, 1, axis=1) / 3
        learnt[pair] = (target / 3 * 2 + moved).astype(np.uint8)
        total = np.add(learnt[pair], target, dtype=int)
        means[pair] = ((total + 1) // 2).astype(np.uint8)
    learnt.save(world / 'learnt.safetensors')
    (learnt if alone else means).save(world / 'expected.safetensors')
    checked = ['--targets', world / 'store.safetensors']
    checked += ['--accept-oaa-plus'] * alone
    run(with_saliency(world, *checked, store='learnt.safetensors'))
    text = capsys.readouterr().out
    assert 'soft IoU of the maps with their targets 0.7' in text
    assert 'poorly' not in text
    assert ('made of the mean of it and' in text) is not alone
    run(with_saliency(world, store='expected.safetensors', out='expected'))
    for image_id in IMAGES:
        expected = read_label(world, image_id, 'expected')
        assert (read_label(world, image_id) == expected).all()
    inputs = json.loads((world / 'out/manifest.json').read_text())['inputs']
    assert ('targets' in inputs) is not alone
    assert inputs['store']['path'].endswith('learnt.safetensors')
    other = ['--targets', world / 'expected.safetensors']
    with pytest.raises(ValueError, match='other'):
        run(with_saliency(world, *other, store='learnt.safetensors'))
