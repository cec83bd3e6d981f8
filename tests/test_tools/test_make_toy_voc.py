from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / 'tools/make_toy_voc.py'


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(SCRIPT))['main']


def test_writes_the_numbers_asked_for(main, tmp_path, capsys):
    out = tmp_path / 'toy'
    main([str(out), '--num-train', '2', '--num-val', '1', '--seed', '4'])
    names = sorted(path.name for path in (out / 'JPEGImages').iterdir())
    assert names == ['train_0000.jpg', 'train_0001.jpg', 'val_0000.jpg']
    assert '2 training and 1 validation images' in capsys.readouterr().out


def test_seed_is_passed_on(main, tmp_path):
    images = []
    for seed in ('4', '5'):
        out = tmp_path / seed
        main([str(out), '--num-train', '1', '--num-val', '1', '--seed', seed])
        images.append((out / 'JPEGImages/val_0000.jpg').read_bytes())
    assert images[0] != images[1]


def test_mistake_ends_in_one_line(tmp_path):
    (tmp_path / 'precious.txt').write_text('mine')
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith('error: ')
    assert 'holds no toy data set' in done.stderr
    assert 'Traceback' not in done.stderr
