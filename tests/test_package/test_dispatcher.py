"""`python -m oaa_mm`, and configs that are named by their package."""

import os
import subprocess
import sys

import pytest

from oaa_mm.__main__ import COMMANDS, main
from oaa_mm.pipeline import load_pipeline
from oaa_mm.runs.config import config_path, read_config


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, 'argv', ['oaa_mm', *words])
    return main()


def test_every_command_for_users_is_listed(root, monkeypatch, capsys):
    laboratories = {'benchmark.py', 'crash_test.py'}
    tools = {path.name for path in (root / 'tools').glob('*.py')}
    assert set(COMMANDS.values()) == tools - laboratories
    assert run(monkeypatch) is None
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    (train,) = [line for line in lines if line.split()[0] == 'train']
    assert train.split(maxsplit=1)[1] == 'Train any stage.'


@pytest.mark.parametrize('name', COMMANDS)
def test_each_command_has_its_own_help(name, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, name, '--help')
    assert ended.value.code == 0
    usage = ' '.join(capsys.readouterr().out.split())
    assert usage.startswith(f'usage: python -m oaa_mm {name} [-h]')


def test_a_mistyped_command_names_those_that_exist(monkeypatch):
    with pytest.raises(ValueError, match="'train', 'test', .*got 'trian'"):
        run(monkeypatch, 'trian')


def test_from_an_empty_folder(root, tmp_path):
    """The exit status is that of the tool."""
    (tmp_path / 'a.txt').write_text('one 0\n')
    (tmp_path / 'b.txt').write_text('one 1\n')
    result = subprocess.run(
        [sys.executable, '-m', 'oaa_mm', 'convert', 'a.txt']
        + ['--diff', 'b.txt', '--classes', 'cat,dog'],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert '+dog' in result.stdout
    assert not result.stderr


def test_configs_are_found_by_the_name_of_their_package(
    root, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert config_path('oaa_mm::toy/x.py') == root / 'configs/toy/x.py'
    assert read_config('oaa_mm::oaa_vgg16_voc.py').model.head.num_classes == 20
    name = 'mmseg::_base_/models/deeplabv3plus_r50-d8.py'
    assert read_config(name).model.type == 'EncoderDecoder'
    pipeline = load_pipeline('oaa_mm::pipelines/oaa_plus_toy.py')
    assert str(pipeline.work_dir) == 'work_dirs/oaa_plus_toy'


@pytest.mark.parametrize(
    'name', ['oaa_mm::none.py', 'no_package::a.py', 'no package::a.py']
)
def test_configs_that_no_package_has_are_named(name):
    with pytest.raises(FileNotFoundError, match=f'config {name}: '):
        read_config(name)
