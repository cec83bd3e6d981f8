"""tools/evaluate.py as a user runs it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oaa_mm.attention import AttentionStore
from oaa_mm.io import write_mask

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'evaluate.py'


def load_tool():
    spec = importlib.util.spec_from_file_location('tool_evaluate', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def world(tmp_path):
    """Two images of 4 x 4 whose left half is a cat; two stores."""
    masks = tmp_path / 'masks'
    exact, half = AttentionStore(), AttentionStore()
    for image_id in ('a', 'b'):
        mask = np.zeros((4, 4), np.uint8)
        mask[:, :2] = 1
        write_mask(masks / f'{image_id}.png', mask)
        exact[image_id, 0] = mask * 255
        half[image_id, 0] = np.where(np.arange(4) < 1, mask * 255, 0).astype(
            np.uint8
        )
    exact.save(tmp_path / 'exact.safetensors')
    half.save(tmp_path / 'half.safetensors')
    (tmp_path / 'list.txt').write_text('a\nb\n')
    return tmp_path


def arguments(world, *stores):
    names = [str(world / f'{store}.safetensors') for store in stores]
    return [
        'attention', *names, '--masks', str(world / 'masks'),
        '--list', str(world / 'list.txt'), '--classes', 'cat,cow',
    ]  # fmt: skip


def test_compares_stores(world, capsys):
    out = world / 'scores.json', world / 'curves.png'
    argv = arguments(world, 'half', 'exact')
    argv += ['--json', str(out[0]), '--curves', str(out[1]), '--step', '0.5']
    assert not load_tool().main(argv)
    text = capsys.readouterr().out
    assert '2 images, 32 pixels; pixels of mask value 255 are dropped' in text
    content = json.loads(out[0].read_text())
    half, exact = content['stores']
    # Half of the cat is found: cat 4/8 and background 8/12.
    assert half['per_class']['cat']['iou'] == pytest.approx(1 / 2)
    assert half['best']['mIoU'] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert exact['best']['mIoU'] == 1
    assert exact['recall_at_first_precision'] == 1
    assert half['per_class']['cow']['iou'] is None
    assert out[1].read_bytes().startswith(b'\x89PNG')


def test_agreement_of_oaa_plus_with_its_targets(world, capsys):
    """The half of each map is 4 of 8 cells, all at 255."""
    stores = [str(world / f'{name}.safetensors') for name in ('half', 'exact')]
    load_tool().main(['agreement', *stores, '--targets', stores[1]])
    half, warning, exact = capsys.readouterr().out.splitlines()
    assert half.startswith(f'{stores[0]}: soft IoU of the maps with their')
    assert '0.500, ratio of their coverages 0.50' in half
    assert 'OAA+ reproduces its targets poorly' in warning
    assert '1.000, ratio of their coverages 1.00' in exact


def test_help_and_error_of_the_command(world):
    run = [sys.executable, str(TOOL)]
    broken = arguments(world, 'exact', 'absent')
    result = subprocess.run(
        [*run, *broken], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert 'Traceback' not in result.stderr
    assert 'error: ' in result.stderr
    assert 'absent.safetensors' in result.stderr


def test_missing_images(world, capsys):
    mask = np.full((4, 4), 1, np.uint8)
    write_mask(world / 'masks' / 'c.png', mask)
    (world / 'list.txt').write_text('a\nb\nc\n')
    main = load_tool().main
    with pytest.raises(ValueError, match='no map for 1 of 3 images: c'):
        main(arguments(world, 'exact'))
    capsys.readouterr()
    main([*arguments(world, 'exact'), '--allow-missing'])
    text = capsys.readouterr().out
    assert 'exact: 1 images have no map and count as all background' in text


def test_missing_masks_are_listed_before_any_work(world):
    (world / 'masks/b.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 2 masks.*b\.png'):
        load_tool().main(arguments(world, 'exact'))


def test_a_folder_of_pngs_is_a_store(world, capsys):
    store = AttentionStore.load(world / 'half.safetensors')
    store.export_png(world / 'pngs.safetensors')
    load_tool().main(arguments(world, 'half', 'pngs'))
    rows = capsys.readouterr().out.splitlines()[4:6]
    half, pngs = (row.split('|')[2:] for row in rows)
    assert half == pngs


@pytest.mark.parametrize('folder', ['masks', 'masks/sub'])
def test_images_in_sub_folders(world, capsys, folder):
    store = AttentionStore()
    mask = np.array([[0, 1], [1, 0]], np.uint8)
    store['sub/c', 0] = mask * 255
    store.save(world / 'sub.safetensors')
    write_mask(world / folder / 'c.png', mask)
    (world / 'list.txt').write_text('/JPEGImages/sub/c.jpg /masks/c.png\n')
    load_tool().main(arguments(world, 'sub'))
    assert '| sub   |          0.000 | 100.00 ' in capsys.readouterr().out


def test_plot_format_fails_before_the_work(world):
    argv = [*arguments(world, 'absent'), '--curves', 'curves.doc']
    with pytest.raises(ValueError, match=r'curves\.doc'):
        load_tool().main(argv)
