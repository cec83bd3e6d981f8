"""tools/visualize.py as a user runs it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from oaa_mm.attention import AttentionStore
from oaa_mm.io import write_mask
from oaa_mm.io.manifest import Manifest, write_manifest

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'visualize.py'


def load_tool():
    spec = importlib.util.spec_from_file_location('tool_visualize', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def world(tmp_path):
    """A work_dir with M after epochs 2 and 3, three images and masks."""
    ids = ('a', 'b', 'c')
    store = AttentionStore()
    for image_id in ids:
        store[image_id, 11] = np.full((3, 4), 255, np.uint8)
        image = np.full((30, 40, 3), 90, np.uint8)
        path = tmp_path / 'images' / f'{image_id}.jpg'
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), image)
        mask = np.full((30, 40), 12, np.uint8)
        write_mask(tmp_path / 'masks' / f'{image_id}.png', mask)
    (tmp_path / 'work').mkdir()
    for epoch in (2, 3):
        store.save(tmp_path / 'work' / f'attention_epoch_{epoch}.safetensors')
    return tmp_path


def arguments(world, *more):
    return [
        'strip', str(world / 'work'), '--img-dir', str(world / 'images'),
        '--out', str(world / 'out'), *more,
    ]  # fmt: skip


def drawn(world):
    return sorted(path.name for path in (world / 'out').iterdir())


def test_strips_of_named_images(world, capsys):
    argv = arguments(
        world, '--ids', 'b', 'a', '--epochs', '1', 'last',
        '--masks', str(world / 'masks'), '--height', '60',
    )  # fmt: skip
    assert not load_tool().main(argv)
    assert drawn(world) == ['a.png', 'b.png']
    text = capsys.readouterr().out
    assert f'2 strips of epochs 1, 3 in {world / "out"}' in text
    assert 'no rows of A' in text
    strip = cv2.imread(str(world / 'out' / 'a.png'))
    # Image, M of two epochs and the mask, each 80 wide; one row.
    assert strip.shape[:2] == (30 + 80 + 3 * 8, 4 * 80 + 5 * 8)


def test_rows_of_a_where_they_are_kept(world, capsys):
    store = AttentionStore.load(world / 'work/attention_epoch_3.safetensors')
    store.save(world / 'work' / 'epoch_maps_3.safetensors')
    load_tool().main(arguments(world, '--random', '2', '--height', '60'))
    assert len(drawn(world)) == 2
    assert 'no rows of A' not in capsys.readouterr().out
    strip = cv2.imread(str(world / 'out' / drawn(world)[0]))
    assert strip.shape[0] == 30 + 2 * 80 + 4 * 8


def test_the_file_of_a_single_strip(world):
    argv = arguments(world, '--ids', 'a')
    argv[argv.index('--out') + 1] = str(world / 'a strip.png')
    assert not load_tool().main(argv)
    assert cv2.imread(str(world / 'a strip.png')) is not None
    argv[argv.index('--out') + 1] = str(world / 'strip.jpg')
    with pytest.raises(ValueError, match=r'strip\.jpg: the suffix.*png.*jpg'):
        load_tool().main(argv)


def test_random_choice_can_be_repeated(world):
    main = load_tool().main
    main(arguments(world, '--random', '1', '--seed', '5'))
    first = drawn(world)
    main(arguments(world, '--random', '1', '--seed', '5'))
    assert drawn(world) == first
    assert len(first) == 1


def test_error_of_the_command(world):
    argv = arguments(world, '--ids', 'zebra')
    result = subprocess.run(
        [sys.executable, str(TOOL), *argv],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    assert 'error: no attention maps of zebra' in result.stderr


def test_help_shows_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        load_tool().main(['--help'])
    assert stop.value.code == 0
    assert 'python tools/visualize.py strip' in capsys.readouterr().out


def test_ids_and_random_exclude_each_other(world, capsys):
    with pytest.raises(SystemExit):
        load_tool().main(arguments(world, '--ids', 'a', '--random', '1'))
    assert 'not allowed with' in capsys.readouterr().err


def test_animations(world, capsys):
    argv = arguments(world, '--ids', 'a', '--height', '60', '--seconds', '0.2')
    argv[0] = 'film'
    assert not load_tool().main(argv)
    assert drawn(world) == ['a.gif']
    assert '1 films of 2 epochs in' in capsys.readouterr().out
    with Image.open(world / 'out/a.gif') as film:
        assert film.n_frames == 2
        # Image and M, each 80 wide.
        assert film.size == (2 * 80 + 3 * 8, 30 + 80 + 3 * 8)
        assert film.info['duration'] == 200
        film.seek(1)
        assert film.info['duration'] == 600
    argv[argv.index('--out') + 1] = str(world / 'film.mp4')
    assert not load_tool().main([*argv, '--masks', str(world / 'masks')])
    film = cv2.VideoCapture(str(world / 'film.mp4'))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 4  # the last one stays
    assert film.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * 80 + 4 * 8
    argv[argv.index('--ids') + 1 : argv.index('--ids') + 2] = ['a', 'b']
    with pytest.raises(ValueError, match=r'mp4 is one file.* 2 images'):
        load_tool().main(argv)
    argv[argv.index('--out') + 1] = str(world / 'film.mov')
    with pytest.raises(ValueError, match=r'film\.mov: .*gif.*mp4.*\.mov'):
        load_tool().main(argv)
    assert not (world / 'film.mov').exists()
    argv = arguments(world, '--ids', 'a', '--seconds', '0')
    with pytest.raises(ValueError, match=r'frame should be in \[0\.02,'):
        load_tool().main(['film', *argv[1:]])


def test_comparisons(world, capsys):
    for image_id in 'abc':
        label = np.full((30, 40), 255, np.uint8)
        write_mask(world / f'made/labels/{image_id}.png', label)
    argv = [
        'compare', str(world / 'work'),
        '--labels', str(world / 'made'), '--masks', str(world / 'masks'),
        '--img-dir', str(world / 'images'), '--out', str(world / 'out'),
        '--random', '2', '--height', '30',
    ]  # fmt: skip
    assert not load_tool().main(argv)
    assert '2 comparisons in' in capsys.readouterr().out
    assert len(drawn(world)) == 2
    picture = cv2.imread(str(world / 'out' / drawn(world)[0]))[..., ::-1]
    # Image, the last map, label and mask, each 40 wide.
    assert picture.shape == (30 + 20 + 30 + 3 * 8, 4 * 48 + 8, 3)
    label, mask = (picture[-20, 8 + n * 48 + 20].tolist() for n in (2, 3))
    # 0.4 of the image's 90, and 0.6 of near white or of a dog's colour.
    assert label == [170, 170, 151]
    assert mask == [74, 36, 113]
    argv[argv.index('--labels') + 1] = str(world / 'nothing')
    with pytest.raises(FileNotFoundError, match='nothing'):
        load_tool().main(argv)


def columns_of(world, *runs):
    """How many pictures a comparison has."""
    argv = ['compare', *map(str, runs), '--img-dir', str(world / 'images')]
    argv += ['--height', '30', '--ids', 'a', '--out', str(world / 'one.png')]
    assert not load_tool().main(argv)
    return cv2.imread(str(world / 'one.png')).shape[1] // 48


def test_what_a_run_to_compare_may_be(world, capsys):
    work = world / 'work'
    first = work / 'attention_epoch_2.safetensors'
    AttentionStore.load(first).export_png(world / 'pngs')
    assert columns_of(world, first) == 2
    assert columns_of(world, work, world / 'pngs') == 3
    # The pictures of a run's folder are no maps.
    cv2.imwrite(str(work / 'curves.png'), np.zeros((9, 9, 3), np.uint8))
    AttentionStore.load(first).save(world / 'all/test/cam.safetensors')
    work.rename(world / 'all/oaa')
    assert columns_of(world, world / 'all') == 3
    (world / 'all/broken.safetensors').write_bytes(b'')
    assert columns_of(world, world / 'all') == 3
    assert 'broken.safetensors is left out' in capsys.readouterr().out
    # The run of a whole pipeline has a training in it.
    load_tool().main(
        ['film', str(world / 'all'), '--img-dir', str(world / 'images')]
    )
    films = sorted(path.name for path in (world / 'all/films').iterdir())
    assert films == ['a.gif', 'b.gif', 'c.gif']


def test_what_is_made_of_labels_or_a_store_lies_beside_it(world, capsys):
    made = world / 'labels/pseudo_labels'
    for image_id in 'abc':
        label = np.full((30, 40), 12, np.uint8)
        write_mask(made / f'labels/{image_id}.png', label)
    manifest = Manifest(tool='make_pseudo_labels', versions={})
    write_manifest(made / 'manifest.json', manifest)
    work = world / 'work'
    store = work / 'attention_epoch_2.safetensors'
    AttentionStore.load(store).export_png(world / 'maps/pngs')
    for run, place in (
        (made, made.parent),
        (store, work),
        (world / 'maps/pngs', world / 'maps'),
        (work, work),
    ):
        before = {*run.iterdir()} if run.is_dir() else set()
        argv = [str(run), '--img-dir', str(world / 'images'), '--random', '1']
        assert not load_tool().main(['compare', *argv])
        assert not load_tool().main(['report', *argv])
        text = capsys.readouterr().out
        assert f'1 comparisons in {place / "comparisons"}\n' in text
        assert f'{place / "report.html"}: a page of' in text
        assert len([*(place / 'comparisons').iterdir()]) == 1
        if run.is_dir() and run != place:
            assert {*run.iterdir()} == before


def test_a_damaged_store_that_the_user_names_is_refused(world):
    broken = world / 'broken.safetensors'
    broken.write_bytes(b'nothing')
    argv = ['compare', str(world / 'work'), str(broken)]
    argv += ['--img-dir', str(world / 'images')]
    with pytest.raises(
        ValueError,
        match=r'broken\.safetensors is not an attention store.*name another',
    ):
        load_tool().main(argv)
    assert not (world / 'work/comparisons').exists()
    argv[2] = str(world / 'masks')  # labels, which are no maps
    with pytest.raises(ValueError, match=r'masks/a\.png.* with --labels'):
        load_tool().main(argv)


def test_manifests_of_other_programs_are_no_hindrance(world, capsys):
    (world / 'masks/manifest.json').write_text('{"results": [1]}')
    argv = ['compare', str(world / 'work'), '--labels', str(world / 'masks')]
    argv += ['--img-dir', str(world / 'images')]
    assert not load_tool().main(argv)
    assert '3 comparisons in' in capsys.readouterr().out


def test_images_of_a_class_and_of_several_classes(world):
    for path in (world / 'work').glob('*.safetensors'):
        store = AttentionStore.load(path)
        store['b', 7] = store['b', 11]
        store.save(path)
    main = load_tool().main
    for seed in '012345':
        main(arguments(world, '--random', '1', '--seed', seed))
    assert drawn(world) == ['b.png']
    main(arguments(world, '--class', 'dog'))
    assert drawn(world) == ['a.png', 'b.png', 'c.png']
    with pytest.raises(ValueError, match="--class should .*'dog'.*'unicorn'"):
        main(arguments(world, '--class', 'unicorn'))
    with pytest.raises(ValueError, match='no image has a map .* person'):
        main(arguments(world, '--class', 'person'))
    with pytest.raises(ValueError, match='no attention maps of a among'):
        main(arguments(world, '--class', 'cat', '--ids', 'a'))


def test_files_that_cannot_be_read_are_named(world):
    (world / 'images/b.jpg').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'images/b\.jpg: not a readable'):
        load_tool().main(arguments(world))
    masks = ['--ids', 'a', '--masks', str(world / 'masks')]
    (world / 'masks/a.png').write_bytes(b'no mask')
    with pytest.raises(ValueError, match=r'masks/a\.png: not a readable'):
        load_tool().main(arguments(world, *masks))
    write_mask(world / 'masks/a.png', np.full((30, 40), 30, np.uint8))
    with pytest.raises(ValueError, match=r'a\.jpg: .* class 29, but .* 20'):
        load_tool().main(arguments(world, *masks))


def test_report(world, capsys):
    argv = ['report', str(world / 'work'), '--random', '1', '--moving', '0']
    argv += ['--classes', 'voc']
    assert not load_tool().main([*argv, '--img-dir', str(world / 'images')])
    out = capsys.readouterr().out
    assert 'No pseudo-labels: tools/make_pseudo_labels.py makes them.' in out
    assert 'No folder of masks is known; name it with --masks.' in out
    assert 'report.html: a page of' in out
    assert 'with 1 images' in out
    page = (world / 'work/report.html').read_text()
    assert 'person' not in page
    assert 'dog' in page
