"""Pipelines of small scripts that count how often they ran."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from other_process import other_process

from oaa_mm.pipeline import (
    PipelineError,
    load_pipeline,
    run_pipeline,
    stage_status,
)
from oaa_mm.pipeline.run import dry_run
from oaa_mm.pipeline.table import read_row, score_table
from oaa_mm.runs.lock import check_free

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import pathlib, sys
out, *rest = sys.argv[1:]
out = pathlib.Path(out)
out.parent.mkdir(parents=True, exist_ok=True)
with open(out.parent.parent / 'log.txt', 'a') as log:
    log.write(out.parent.name + ' ' + ' '.join(
        r for r in rest if r.startswith('--')) + '\\n')
if pathlib.Path(sys.argv[0]).with_name('fail').exists():
    sys.exit(3)
read = ''.join(pathlib.Path(r).read_text() for r in rest if '--' not in r)
out.write_text(read + out.parent.name)
"""


@pytest.fixture
def config(tmp_path):
    script = tmp_path / 'step.py'
    script.write_text(SCRIPT)
    (tmp_path / 'source.txt').write_text('data-')
    path = tmp_path / 'pipeline.py'
    path.write_text(
        f'script = {str(script)!r}\n'
        f'source = {str(tmp_path / "source.txt")!r}\n'
        f'work_dir = {str(tmp_path / "work")!r}\n'
        'stages = [\n'
        "    dict(name='one', run='{script} {dir}/a.txt {source}',\n"
        "         inputs=['{source}'], outputs=['a.txt'],\n"
        "         resume='--resume'),\n"
        "    dict(name='two', run='{script} {dir}/b.txt {one}/a.txt',\n"
        "         outputs=['b.txt']),\n"
        "    dict(name='three', run='{script} {dir}/c.txt {two}/b.txt',\n"
        "         outputs=['c.txt']),\n"
        ']\n'
    )
    return path


def ran(config):
    log = config.parent / 'work/log.txt'
    lines = log.read_text().splitlines() if log.exists() else []
    if lines:
        log.unlink()
    return [line.strip() for line in lines]


def go(config, **kwargs):
    said = []
    run_pipeline(load_pipeline(config), say=said.append, **kwargs)
    return '\n'.join(said)


def test_stages_run_in_order_and_are_skipped_when_done(config):
    go(config)
    assert ran(config) == ['one', 'two', 'three']
    result = config.parent / 'work/three/c.txt'
    assert result.read_text() == 'data-onetwothree'
    said = go(config)
    assert ran(config) == []
    assert said.count('skipped') == 3


def test_a_changed_input_reaches_every_later_stage(config):
    go(config)
    ran(config)
    (config.parent / 'source.txt').write_text('new-')
    said = go(config)
    assert ran(config) == ['one', 'two', 'three']
    assert 'source.txt: 1 file(s), sha256 ' in said
    assert (
        config.parent / 'work/three/c.txt'
    ).read_text() == 'new-onetwothree'
    # What the former run made is kept.
    old = config.parent / 'work/three.1/c.txt'
    assert old.read_text() == 'data-onetwothree'


def test_a_changed_command_runs_that_stage_again(config):
    go(config)
    ran(config)
    text = config.read_text().replace('{two}/b.txt', '{two}/b.txt --more')
    config.write_text(text)
    said = go(config)
    assert ran(config) == ['three --more']
    assert 'three/c.txt' in said
    assert '--more' in said


def test_a_touched_or_lost_output_is_made_again(config):
    go(config)
    ran(config)
    (config.parent / 'work/two/b.txt').write_text('tampered')
    said = go(config)
    assert '[two] output ' in said
    assert 'b.txt: 1 file(s), sha256 ' in said
    assert ran(config)[0] == 'two'
    (config.parent / 'work/three/c.txt').unlink()
    assert '-> nothing' in go(config)
    assert ran(config) == ['three']


def test_a_config_used_by_a_command_counts_with_its_bases(config):
    base = config.parent / 'base.py'
    base.write_text('lr = 1')
    child = config.parent / 'child.py'
    child.write_text("_base_ = ['base.py']")
    # The script itself is a .py that counts as well; the child is a word.
    text = config.read_text().replace(
        '{one}/a.txt', f'{{one}}/a.txt --cfg {child}'
    )
    config.write_text(text)
    script = config.parent / 'step.py'
    script.write_text(SCRIPT.replace("'--' not in r", "r.endswith('.txt')"))
    go(config)
    ran(config)
    base.write_text('lr = 2')
    assert 'child.py: 1 file(s), sha256 ' in go(config)
    assert ran(config)[0].startswith('two')


def test_from_and_until(config):
    go(config, last='two')
    assert ran(config) == ['one', 'two']
    go(config, first='two')
    assert ran(config) == ['two', 'three']
    with pytest.raises(ValueError, match=r"no stage is called 'four'.*one"):
        go(config, last='four')
    with pytest.raises(ValueError, match="'one' comes before 'three'"):
        go(config, first='three', last='one')


def test_a_failing_stage_stops_and_resume_goes_on_there(config):
    fail = config.parent / 'fail'
    fail.touch()
    with pytest.raises(PipelineError, match=r"stage 'one' failed.*status 3"):
        go(config)
    assert ran(config) == ['one']
    fail.unlink()
    go(config, resume=True)
    assert ran(config) == ['one --resume', 'two', 'three']


def test_without_resume_an_interrupted_stage_starts_anew(config):
    fail = config.parent / 'fail'
    fail.touch()
    with pytest.raises(PipelineError):
        go(config)
    fail.unlink()
    ran(config)
    said = go(config)
    assert ran(config)[0] == 'one'
    assert 'moved to' in said


@pytest.mark.parametrize(
    ('key', 'kept'), [('', False), ("resume='', ", True)], ids=['anew', 'same']
)
def test_what_a_stage_without_an_option_does_on_resume(config, key, kept):
    """An empty `resume`: the same command goes on with what is there."""
    text = config.read_text().replace("name='two', ", f"name='two', {key}")
    config.write_text(text)
    go(config, last='one')
    step = config.parent / 'step.py'
    step.write_text(SCRIPT.replace('out.write_text', 'sys.exit(3) #'))
    with pytest.raises(PipelineError):
        go(config)
    half = config.parent / 'work/two/half.txt'
    half.write_text('half')
    step.write_text(SCRIPT)
    go(config, resume=True)
    assert half.exists() == kept
    assert ran(config)[-2:] == ['two', 'three']


def test_resume_does_not_continue_another_run(config):
    fail = config.parent / 'fail'
    fail.touch()
    with pytest.raises(PipelineError):
        go(config)
    fail.unlink()
    ran(config)
    (config.parent / 'source.txt').write_text('new-')
    go(config, resume=True)
    assert ran(config)[0] == 'one'


def test_a_stage_that_does_not_keep_its_word_is_named(config):
    config.write_text(config.read_text().replace("['b.txt']", "['x.txt']"))
    with pytest.raises(PipelineError, match=r"'two' ended well.*x.txt"):
        go(config)


def test_a_missing_input_is_named(config):
    (config.parent / 'source.txt').unlink()
    with pytest.raises(PipelineError, match=r"'one' needs .*source.txt"):
        go(config)


def test_dry_run_prints_and_checks_and_runs_nothing_else(config):
    check = config.parent / 'check.py'
    check.write_text('import sys; sys.exit(1)')
    config.write_text(config.read_text() + f'checks = [{str(check)!r}]\n')
    said = []
    status = dry_run(load_pipeline(config), say=said.append)
    assert status == 1
    text = '\n'.join(said)
    assert text.count('not done yet') == 3
    assert f'work/two/b.txt {config.parent}/work/one/a.txt' in text
    assert ran(config) == []
    go(config)
    check.write_text('')
    said.clear()
    assert dry_run(load_pipeline(config), say=said.append) == 0
    assert '\n'.join(said).count('skipped') == 3


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ("outputs=['b.txt']", 'output=[]', r"'two' lacks \['outputs'\]"),
        ('{two}', '{five}', r'\{five\}.*neither an earlier stage'),
        ('{one}/a.txt', '{three}/a.txt', r'\{three\}.*neither an earlier'),
        ("name='two'", "name='one'", "'one' should be an identifier"),
        ('stages', 'steps', 'needs `stages`'),
    ],
)
def test_mistakes_in_the_config_are_named(config, old, new, message):
    config.write_text(config.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        load_pipeline(config)


def test_a_damaged_record_counts_as_not_done(config):
    go(config)
    record = config.parent / 'work/one/stage.json'
    record.write_text('{"commands": [')
    stage = load_pipeline(config).stages[0]
    assert stage_status(stage) == 'not done yet'


def test_a_record_of_a_former_version_is_read(config):
    """As the version before the common manifest wrote it."""
    go(config)
    path = config.parent / 'work/one/stage.json'
    new = json.loads(path.read_text())
    (stage, *_) = load_pipeline(config).stages

    def hashes(entries):
        return {name: entry['sha256'] for name, entry in entries.items()}

    old = {
        'commands': [list(command) for command in stage.commands],
        'configs': {},
        'inputs': hashes(new['inputs']),
        'outputs': hashes(new['outputs']),
        'seconds': 1.5,
    }
    path.write_text(json.dumps(old))
    assert stage_status(stage) is None
    (config.parent / 'source.txt').write_text('new-')
    assert 'source.txt: 1 file(s)' in stage_status(stage)


def test_scores(tmp_path):
    for number, value in enumerate((25.0, 50.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / 'test.json').write_text(json.dumps({'mIoU': value}))
    os.utime(tmp_path / '0/test.json', (1, 1))
    policies = {p: {'mIoU': None, 'per_class': {}} for p in ('drop', 'error')}
    policies['error']['mIoU'] = 0.75
    labels = {'classes': [], 'folders': [
        {'labels': 'x', 'ignored': 0.5, **policies},
    ]}  # fmt: skip
    (tmp_path / 'labels.json').write_text(json.dumps(labels))
    row = {'name': 'network', 'file': f'{tmp_path}/*/test.json'}
    assert read_row(row) == {'mIoU': 50}
    assert read_row({**row, 'entry': '1'}) == {'mIoU': None}
    drop = {'name': 'labels', 'file': f'{tmp_path}/labels.json'}
    error = {**drop, 'policy': 'error'}
    assert read_row(drop) == {'mIoU': None, 'ignored': 50}
    assert read_row(error) == {'mIoU': 75, 'ignored': 50}
    with pytest.raises(ValueError, match="'network'.*policy, but got mIoU"):
        read_row({**row, 'mIoU': 'stores > 0'})
    with pytest.raises(ValueError, match="'network'.*entry.*'x'"):
        read_row({**row, 'entry': 'x'})
    table = score_table([error, row, {'name': 'none', 'file': 'x'}])
    assert [line.split()[3:6:2] for line in table.splitlines()[3:6]] == [
        ['75.00', '50.00'], ['50.00', '-'], ['-', '-'],
    ]  # fmt: skip
    assert score_table([]) == ''


def test_command_line(config):
    def call(*arguments):
        return subprocess.run(
            [sys.executable, ROOT / 'tools/run_pipeline.py', *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    result = call(config, '--dry-run')
    assert result.returncode == 0, result.stderr
    assert '[one] runs: not done yet' in result.stdout
    result = call(config)
    assert result.returncode == 0
    assert 'report page: ' in result.stdout
    page = config.parent / 'work/report.html'
    assert 'three' in page.read_text(encoding='utf-8')
    page.unlink()
    page.mkdir()  # a page that cannot be written is no failed pipeline
    result = call(config)
    assert result.returncode == 0
    assert 'no report page: ' in result.stdout
    result = call(config, '--until', 'four')
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith('error: no stage')


def test_texts_may_mention_texts_and_outputs_are_filled_in(config):
    text = config.read_text()
    text = text.replace("['a.txt']", "['{letter}.txt']")
    text += "letter = 'a'\nboth = '{letter}.txt'\n"
    text = text.replace('{one}/a.txt', '{one}/{both}')
    config.write_text(text)
    pipeline = load_pipeline(config)
    assert pipeline.stages[0].outputs[0].name == 'a.txt'
    assert pipeline.stages[1].inputs == pipeline.stages[0].outputs


def test_two_pipelines_do_not_share_a_folder(config):
    work = config.parent / 'work'
    with other_process(work, 'pipeline') as pid:
        with pytest.raises(OSError, match=f'in use .* process {pid}'):
            go(config)
        assert ran(config) == []
    # A stage that has outlived its pipeline is not moved from under its feet.
    with other_process(work / 'one', 'train') as pid:
        with pytest.raises(OSError, match=f'work/one is .* process {pid}'):
            go(config)
        assert (work / 'one').is_dir()
    assert ran(config) == []
    go(config)
    assert ran(config) == ['one', 'two', 'three']


@pytest.mark.parametrize(
    ('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signals_end_the_stage_too(config, number, status):
    script = config.parent / 'step.py'
    script.write_text(
        'import pathlib, sys, time\n'
        'folder = pathlib.Path(sys.argv[1]).parent\n'
        'folder.mkdir(exist_ok=True)\n'
        "(folder / 'begun').touch()\n"
        'time.sleep(60)\n'
        "(folder / 'ended').touch()\n"
    )
    process = subprocess.Popen(
        [sys.executable, ROOT / 'tools/run_pipeline.py', config],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
    )
    folder = config.parent / 'work/one'
    while not (folder / 'begun').exists():
        assert process.poll() is None
        time.sleep(0.05)
    start = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=50)
    assert process.returncode == status
    assert said.endswith(
        'interrupted: the same command with --resume goes on here\n'
    )
    assert time.monotonic() - start < 50
    assert not (folder / 'ended').exists()
    assert not (folder / 'stage.json').exists()
    check_free(config.parent / 'work', remedy='')
