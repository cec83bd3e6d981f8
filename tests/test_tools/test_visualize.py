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
    assert '2 strips of epochs 1, 3 in' in text
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
    argv[0] = 'gif'
    assert not load_tool().main(argv)
    assert drawn(world) == ['a.gif']
    assert '1 animations of 2 epochs' in capsys.readouterr().out
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
        load_tool().main(['gif', *argv[1:]])


def test_comparisons(world, capsys):
    for image_id in 'abc':
        label = np.full((30, 40), 255, np.uint8)
        write_mask(world / f'made/labels/{image_id}.png', label)
    store = world / 'work/attention_epoch_3.safetensors'
    argv = [
        'compare', '--stores', str(store),
        '--labels', str(world / 'made'), '--masks', str(world / 'masks'),
        '--img-dir', str(world / 'images'), '--out', str(world / 'out'),
        '--random', '2', '--height', '30', '--alpha', '1',
    ]  # fmt: skip
    assert not load_tool().main(argv)
    assert '2 pictures in' in capsys.readouterr().out
    assert len(drawn(world)) == 2
    picture = cv2.imread(str(world / 'out' / drawn(world)[0]))[..., ::-1]
    # Image, map, label and mask, each 40 wide.
    assert picture.shape[0] == 30 + 20 + 30 + 3 * 8
    label, mask = (picture[-20, 8 + n * 48 + 20].tolist() for n in (2, 3))
    assert label == [224, 224, 192]
    assert mask == [64, 0, 128]  # a dog
    argv[argv.index('--labels') + 1] = str(world / 'nothing')
    with pytest.raises(FileNotFoundError, match='nothing'):
        load_tool().main(argv)


def test_report(world, capsys):
    argv = ['report', str(world / 'work'), '--random', '1', '--classes', 'voc']
    assert not load_tool().main([*argv, '--img-dir', str(world / 'images')])
    out = capsys.readouterr().out
    assert 'No pseudo-labels: tools/make_pseudo_labels.py makes them.' in out
    assert 'No folder of masks is known; name it with --masks.' in out
    assert 'report.html: a page of' in out
    assert 'with 1 images' in out
    page = (world / 'work/report.html').read_text()
    assert 'person' not in page
    assert 'dog' in page
