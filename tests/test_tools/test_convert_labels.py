from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oaa_mm.runs.cli import run_cli

TOOL = Path(__file__).resolve().parents[2] / 'tools/convert_labels.py'


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('convert_labels', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / 'train_cls.txt'
    path.write_text('2007_000032 0 14\n2007_000039 19\n')
    return path


def test_conversion_chain(main, listed, tmp_path, capsys):
    steps = ['a.npy', 'a.csv', 'a.json', 'b.txt']
    source = listed
    for name in steps:
        out = tmp_path / name
        assert main([str(source), '--classes', 'voc', '--out', str(out)]) == 0
        source = out
    assert source.read_text() == listed.read_text()
    assert 'wrote the labels of 2 images to' in capsys.readouterr().out


def test_to_names_the_form(main, listed, tmp_path):
    out = tmp_path / 'Annotations'
    arguments = ['--classes', 'voc', '--to', 'voc_xml', '--out', str(out)]
    assert main([str(listed), *arguments]) == 0
    assert len(list(out.glob('*.xml'))) == 2
    assert main([str(out), '--diff', str(listed)]) == 0


def test_diff(main, listed, tmp_path, capsys):
    other = tmp_path / 'other.labels'
    np.save(tmp_path / 'x.npy', {2007000032: np.eye(20)[0]})
    (tmp_path / 'x.npy').rename(other)
    arguments = ['--diff', str(other), '--diff-format', 'npy']
    assert main([str(listed), *arguments, '--classes', 'voc']) == 1
    text = capsys.readouterr().out
    assert '2007_000032: -person' in text
    assert '1 images only in A: 2007_000039' in text


def run_tool(folder, *arguments):
    return subprocess.run(
        [sys.executable, TOOL, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
    )


def write_annotations(folder, objects):
    folder.mkdir()
    for image_id, names in objects.items():
        nodes = ''.join(f'<object><name>{n}</name></object>' for n in names)
        text = f'<annotation>{nodes}</annotation>'
        (folder / f'{image_id}.xml').write_text(text)


def test_list_keeps_its_images_in_its_order(tmp_path):
    # As docs/data.md makes train_cls.txt from VOC's Annotations.
    objects = {
        '2007_000032': ['person', 'aeroplane', 'person'],
        '2007_000039': ['tvmonitor'],
        '2008_000001': ['cat'],
    }
    write_annotations(tmp_path / 'Annotations', objects)
    (tmp_path / 'train_aug.txt').write_text('2008_000001\n2007_000032\n')
    options = ['--list', 'train_aug.txt', '--out', 'train_cls.txt']
    result = run_tool(tmp_path, 'Annotations', *options)
    assert (result.returncode, result.stderr) == (0, '')
    assert 'wrote the labels of 2 images to train_cls.txt' in result.stdout
    text = (tmp_path / 'train_cls.txt').read_text()
    assert text == '2008_000001 7\n2007_000032 0 14\n'


def test_listed_images_without_labels(tmp_path):
    write_annotations(tmp_path / 'Annotations', {'a': ['cat']})
    (tmp_path / 'train_aug.txt').write_text('a\nb\nc\n')
    options = ['--list', 'train_aug.txt', '--out', 'train_cls.txt']
    result = run_tool(tmp_path, 'Annotations', *options)
    assert result.returncode == 1
    assert result.stderr == (
        'error: train_aug.txt: 2 of 3 listed images have no entry in the '
        'image-level labels: b, c; label them, or take them off the list\n'
    )
    assert not (tmp_path / 'train_cls.txt').exists()


def test_diff_within_a_list(main, listed, tmp_path, capsys):
    other = tmp_path / 'other.txt'
    other.write_text('2007_000039 19\n2007_000032 0\n2008_000001 7\n')
    arguments = [str(listed), '--diff', str(other), '--list']
    chosen = tmp_path / 'list.txt'
    chosen.write_text('2007_000039\n')
    assert main([*arguments, str(chosen)]) == 0
    chosen.write_text('2007_000039\n2007_000032\n')
    assert main([*arguments, str(chosen)]) == 1
    out = capsys.readouterr().out
    assert '2007_000032: -14' in out
    assert '2008_000001' not in out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'give either --out'),
        (['--out', 'x.npy', '--diff', 'y'], 'give either --out'),
        (['--out', 'x.npy', '--diff-format', 'npy'], 'needs --diff'),
        (['--diff', 'x', '--to', 'npy'], '--to needs --out'),
        (['--out', 'x', '--to', 'xml'], 'invalid choice'),
    ],
)
def test_wrong_usage(main, arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(['src', *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_masks_are_refused_with_a_reason(main, listed):
    with pytest.raises(ValueError, match='cannot be written as masks'):
        main([str(listed), '--to', 'masks', '--out', 'x'])


def test_as_a_user_runs_it(tmp_path):
    result = run_tool(tmp_path, 'no/such.txt', '--out', 'x.npy')
    assert result.returncode == 1
    assert result.stderr.endswith(
        'error: labels: no/such.txt does not exist\n'
    )
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(
    ('outcome', 'status', 'message'),
    [
        (None, None, ''),
        (3, 3, ''),
        (ValueError('bad key'), 1, 'error: bad key\n'),
        (FileNotFoundError('no file x'), 1, 'error: no file x\n'),
        (
            PermissionError(13, 'denied', 'x'),
            1,
            "error: [Errno 13] denied: 'x'\n",
        ),
        (KeyboardInterrupt(), 130, 'interrupted\n'),
    ],
)
def test_run_cli(outcome, status, message, capsys):
    def command():
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    with pytest.raises(SystemExit) as caught:
        run_cli(command)
    assert caught.value.code == status
    assert capsys.readouterr().err == message


def test_run_cli_shows_bugs():
    def command():
        raise KeyError('bug')

    with pytest.raises(KeyError, match='bug'):
        run_cli(command)


def test_binary_masks(tmp_path):
    (tmp_path / 'masks').mkdir()
    for name, value in (('a', 255), ('b', 0)):
        mask = np.full((4, 4), value, np.uint8)
        Image.fromarray(mask).save(tmp_path / f'masks/{name}.png')
    options = ['--classes', 'polyp', '--out', 'labels.csv']
    result = run_tool(tmp_path, 'masks', *options)
    assert result.returncode == 1
    assert '--binary-masks' in result.stderr
    result = run_tool(tmp_path, 'masks', *options, '--binary-masks')
    assert (result.returncode, result.stderr) == (0, '')
    text = (tmp_path / 'labels.csv').read_text()
    assert text == 'image,polyp\na,1\nb,0\n'


@pytest.mark.parametrize('encoding', ['ascii', 'gbk'])
def test_names_that_the_output_cannot_encode(listed, tmp_path, encoding):
    other = tmp_path / 'other.txt'
    other.write_text('2007_000032 0\n2007_000039 19\n')
    names = [f'naïve🐈{number}' for number in range(20)]
    (tmp_path / 'classes.txt').write_text('\n'.join(names), encoding='utf-8')
    command = [sys.executable, TOOL, listed, '--diff', other]
    result = subprocess.run(
        [*command, '--classes', tmp_path / 'classes.txt'],
        env={**os.environ, 'PYTHONIOENCODING': encoding},
        capture_output=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == b''
    assert '2007_000032: -na?ve?14' in result.stdout.decode(encoding)
