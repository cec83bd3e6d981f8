"""Pipelines of small scripts that count how often they ran."""

import io
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from other_process import other_process

from oaa_mm.pipeline import (
    Pipeline,
    PipelineError,
    Stage,
    load_pipeline,
    run_pipeline,
    stage_status,
)
from oaa_mm.pipeline.run import dry_run
from oaa_mm.pipeline.table import SCORES, read_score, write_scores
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

CONFIG = """
from functools import partial
from oaa_mm.pipeline import Pipeline, Stage

script = '{here}/step.py'
source = '{here}/source.txt'
work_dir = '{here}/work'

@partial
def pipeline(cfg):
    work, script = cfg.work_dir, cfg.script
    one = Stage(
        f'{{work}}/one', f'{{script}} {{work}}/one/a.txt {{cfg.source}}',
        inputs=[cfg.source], outputs=['a.txt'], resume='--resume')
    two = Stage(
        f'{{work}}/two', f'{{script}} {{work}}/two/b.txt {{one.outputs[0]}}',
        outputs=['b.txt'])
    three = Stage(
        f'{{work}}/three',
        f'{{script}} {{work}}/three/c.txt {{two.outputs[0]}}',
        outputs=['c.txt'])
    return Pipeline(work, [one, two, three])
"""


@pytest.fixture
def config(tmp_path):
    script = tmp_path / 'step.py'
    script.write_text(SCRIPT)
    (tmp_path / 'source.txt').write_text('data-')
    path = tmp_path / 'pipeline.py'
    path.write_text(CONFIG.format(here=tmp_path))
    return path


def ran(config):
    log = config.parent / 'work/log.txt'
    lines = log.read_text().splitlines() if log.exists() else []
    if lines:
        log.unlink()
    return [line.strip() for line in lines]


def go(config, **kwargs):
    """Run the pipeline and return what it prints."""
    with redirect_stdout(io.StringIO()) as said:
        run_pipeline(load_pipeline(config), **kwargs)
    return said.getvalue()


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
    text = config.read_text().replace(
        '{two.outputs[0]}', '{two.outputs[0]} --more'
    )
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
        '{one.outputs[0]}', f'{{one.outputs[0]}} --cfg {child}'
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
    with pytest.raises(ValueError, match="stage should be .* got 'four'"):
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
    ('key', 'kept'), [('', False), (", resume=''", True)], ids=['anew', 'same']
)
def test_what_a_stage_without_an_option_does_on_resume(config, key, kept):
    """An empty `resume`: the same command goes on with what is there."""
    text = config.read_text().replace("['b.txt']", f"['b.txt']{key}")
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


def test_dry_run_prints_and_checks_and_runs_nothing_else(config, capfd):
    check = config.parent / 'check.py'
    check.write_text('import sys; sys.exit(1)')
    config.write_text(
        config.read_text().replace('three])', f'three], [{str(check)!r}])')
    )
    assert dry_run(load_pipeline(config)) == 1
    text = capfd.readouterr().out
    assert text.count('not done yet') == 3
    assert f'work/two/b.txt {config.parent}/work/one/a.txt' in text
    assert ran(config) == []
    go(config)
    check.write_text('')
    assert dry_run(load_pipeline(config)) == 0
    assert capfd.readouterr().out.count('skipped') == 3
    assert dry_run(load_pipeline(config), first='two') == 0
    text = capfd.readouterr().out
    assert text.count('skipped') == 1
    assert '[three] runs: asked for by --from two' in text
    (config.parent / 'source.txt').write_text('new-')
    dry_run(load_pipeline(config))
    text = capfd.readouterr().out
    assert '[two] runs: if an earlier stage changes what it reads' in text


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ("outputs=['b.txt']", "output=['b.txt']", "argument 'output'"),
        ("outputs=['b.txt']", "outputs='b.txt'", 'two: outputs should be a'),
        ('{one.out', '{five.out', "NameError: name 'five'"),
        ('cfg.source}', 'cfg.sauce}', "no attribute 'sauce'"),
        ("work}/two'", "work}/one'", r'different names.*one.*one.*three'),
        ("f'{script} {work}/two", 'f\'"{work}/two', 'No closing quotation'),
        ('return', 'stages =', 'should return a Pipeline, but got None'),
        ('@partial', '', r'needs a function `pipeline\(cfg\)` under'),
    ],
)
def test_mistakes_in_the_config_are_named(config, old, new, message):
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message) as error:
        load_pipeline(config)
    assert str(error.value).startswith(str(config))


def test_settings_are_inherited_and_the_folder_is_chosen_in_order(config):
    child = config.with_name('child.py')
    child.write_text(f"_base_ = [{str(config)!r}]\nsource = 'other.txt'\n")
    one = load_pipeline(child).stages[0]
    assert one.inputs == [Path('other.txt')]
    assert load_pipeline(child, work_dir='x').work_dir == Path('x')
    text = config.read_text().replace('work_dir =', 'folder =')
    config.write_text(text)
    pipeline = load_pipeline(child)
    assert pipeline.work_dir == Path('work_dirs/child')
    assert pipeline.stages[1].name == 'two'
    assert pipeline.stages[1].inputs == pipeline.stages[0].outputs


def test_a_damaged_record_counts_as_not_done(config):
    go(config)
    record = config.parent / 'work/one/stage.json'
    record.write_text('{"commands": [')
    stage = load_pipeline(config).stages[0]
    assert stage_status(stage) == 'not done yet'


def write_test(folder, miou):
    """What the test of a network leaves."""
    folder.mkdir(parents=True)
    (folder / 'test.json').write_text(json.dumps({'mIoU': miou}))
    return {'file': f'{folder}/*.json'}


def test_scores(tmp_path):
    write_test(tmp_path / '0', 25.0)
    write_test(tmp_path / '1', 50.0)
    os.utime(tmp_path / '0/test.json', (1, 1))
    policies = {p: {'mIoU': None, 'per_class': {}} for p in ('drop', 'error')}
    policies['error']['mIoU'] = 0.75
    labels = {'classes': [], 'folders': [
        {'labels': 'x', 'ignored': 0.5, **policies},
    ]}  # fmt: skip
    (tmp_path / 'labels.json').write_text(json.dumps(labels))
    cell = {'name': 'network', 'file': f'{tmp_path}/*/test.json'}
    assert read_score(cell) == 0.5
    assert read_score({**cell, 'entry': 1}) is None
    drop = {'name': 'labels', 'file': f'{tmp_path}/labels.json'}
    error = {**drop, 'policy': 'error'}
    assert read_score(drop) is None
    assert read_score(error) == 0.75
    with pytest.raises(
        ValueError, match="'network'.*policy.*, but got 'mIoU'"
    ):
        read_score({**cell, 'mIoU': 'stores > 0'})
    with pytest.raises(ValueError, match="'network'.*entry.*'x'"):
        read_score({**cell, 'entry': 'x'})


def table_of(folder, cells, **kwargs):
    """Row -> its cells, as printed, and what the file holds."""
    stages = [Stage(folder / 'one', 'x', outputs=[])]
    text = write_scores(Pipeline(folder, stages, scores=cells, **kwargs))
    lines = [line.split('|')[1:-1] for line in text.splitlines()]
    rows = {r[0].strip(): [c.strip() for c in r[1:]] for r in lines if r}
    return rows, json.loads((folder / SCORES).read_text())['scores']


def test_table_of_one_seed(tmp_path):
    cells = [
        {'name': 'CAM', 'column': 'maps', **write_test(tmp_path / 'a', 40.0)},
        {'name': 'OAA', 'column': 'maps', 'file': 'none'},
        {'name': 'CAM', 'column': 'net', **write_test(tmp_path / 'b', 30.0)},
        {'name': 'OAA', 'column': 'net', **write_test(tmp_path / 'c', 45.0)},
        {'name': 'drawn', 'column': 'net', **write_test(tmp_path / 'd', 60.0)},
    ]
    rows, _ = table_of(tmp_path, cells, reference='drawn', main='OAA')
    assert rows == {
        'mIoU, percent': ['maps', 'net', 'of drawn', 'against OAA'],
        'CAM': ['40.00', '30.00', '50.00', '-15.00'],
        'OAA': ['-', '45.00', '75.00', '-'],
        'drawn': ['-', '60.00', '100.00', '15.00'],
    }
    # Where nothing is compared, no column says so.
    rows, _ = table_of(tmp_path, cells[2:4])
    assert rows['CAM'] == ['30.00']
    stages = [Stage(tmp_path / 'one', 'x', outputs=[])]
    assert write_scores(Pipeline(tmp_path, stages)) == ''


def test_long_headings_take_several_lines(tmp_path):
    name = 'labels, 255 as background'
    cell = {'name': 'CAM', 'column': name, **write_test(tmp_path / 'a', 40.0)}
    stages = [Stage(tmp_path / 'one', 'x', outputs=[])]
    text = write_scores(Pipeline(tmp_path, stages, scores=[cell]))
    lines = text.splitlines()
    assert ['labels, 255' in lines[1], 'as background' in lines[2]] == [
        True
    ] * 2
    assert {len(line) for line in lines} == {len(lines[0])}


def test_seeds_repeat_what_they_enter(config, capfd):
    """By the command line: shared stages once, resumable, means at the end."""
    text = config.read_text().replace(
        'def pipeline(cfg):',
        "def pipeline(cfg):\n    seed = '' if cfg.seed is None else "
        "f'/seed_{cfg.seed}'",
    )
    text = text.replace('{work}/two', '{work}{seed}/two')
    text = text.replace('{work}/three', '{work}{seed}/three')
    config.write_text(text)
    main = runpy.run_path(str(ROOT / 'tools/run_pipeline.py'))['main']
    assert main([str(config), '--seeds', '1,4']) == 0
    work = config.parent / 'work'
    assert ran(config) == ['one']
    for seed in (1, 4):
        made = work / f'seed_{seed}/three/c.txt'
        assert made.read_text() == 'data-onetwothree'
    assert '[seed_4/three] not done yet' in capfd.readouterr().out
    # A third seed: what is done is kept. `two` is that of every seed.
    assert main([str(config), '--seeds', '1,4,5', '--until', 'two']) == 0
    assert capfd.readouterr().out.count('skipped') == 3
    assert (work / 'seed_5/two').is_dir()
    assert not (work / 'seed_5/three').exists()
    with pytest.raises(SystemExit):
        main([str(config), '--seeds', '1,1'])


def test_seeds_that_change_nothing_or_clash_are_refused(config):
    with pytest.raises(ValueError, match='does not use cfg.seed'):
        load_pipeline(config, seeds=[0])
    text = config.read_text().replace('c.txt {', 'c.txt --s{cfg.seed} {')
    config.write_text(text)
    with pytest.raises(ValueError, match="'three' differs for seed 1"):
        load_pipeline(config, seeds=[0, 1])


def test_settings_of_the_command_line(config):
    pipeline = load_pipeline(config, options={'source': 'other.txt'})
    assert pipeline.stages[0].inputs == [Path('other.txt')]
    with pytest.raises(ValueError, match="setting.*'source'.*got 'sauce'"):
        load_pipeline(config, options={'sauce': 'other.txt'})


def test_output_is_in_a_log_and_its_end_shown_on_failure(config, capfd):
    step = config.parent / 'step.py'
    step.write_text(
        'import sys\nfor number in range(50): print(f"line {number}.")\n'
        'sys.exit(7)'
    )
    with pytest.raises(PipelineError, match='status 7') as error:
        run_pipeline(load_pipeline(config))
    log = config.parent / 'work/one/stage.log'
    assert f'see {log}' in capfd.readouterr().out
    said = str(error.value)
    assert str(log) in said
    assert 'line 20.' in said
    assert 'line 19.' not in said
    assert 'line 0.' in log.read_text()
    with pytest.raises(PipelineError):
        run_pipeline(load_pipeline(config), verbose=True)
    assert 'line 0.' in capfd.readouterr().out


def test_differences_are_paired_by_seed(tmp_path):
    """Seeds 0, 1, 2; all numbers worked out by hand."""
    of_seeds = {
        'masks': (50.0, 60.0, 80.0),
        'main': (40.0, 45.0, 72.0),  # shares 0.8, 0.75, 0.9
        'near': (41.0, 44.0, 73.0),  # +1, -1, +1: 1/3, error 2/3
        'below': (37.0, 43.0, 71.0),  # -3, -2, -1: -2, error 1 / sqrt(3)
    }
    cells = [
        {'name': name, 'seed': seed,
         **write_test(tmp_path / f'{name}{seed}', value)}
        for name, values in of_seeds.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    cells[-1]['file'] = 'lost'
    rows, scores = table_of(tmp_path, cells, reference='masks', main='main')
    # Means of 50, 60, 80 and 40, 45, 72; the standard deviations are roots of
    # (13.33^2 + 3.33^2 + 16.67^2) / 2 and (12.33^2 + 7.33^2 + 19.67^2) / 2;
    # that of the shares is the root of (0.0167^2 + 0.0667^2 + 0.0833^2) / 2,
    # its error a root of 3 less.
    assert rows['masks'][:2] == ['63.33 ± 15.28', '100.00 ± 0.00']
    assert rows['main'] == ['52.33 ± 17.21', '81.67 ± 4.41', '-']
    assert rows['near'][2] == '0.33 ± 0.67, tie'
    assert rows['below'][0] == '40.00 ± 4.24'  # of two seeds
    assert rows['below'][2] == '-2.50 ± 0.50'
    near = scores[2]
    assert near['seeds'] == [0, 1, 2]
    assert near['values'] == [0.41, 0.44, 0.73]
    assert near['tie']
    assert not scores[3]['tie']


def test_command_line(config, capfd):
    """Its `main`; the tests of signals run the whole command."""
    main = runpy.run_path(str(ROOT / 'tools/run_pipeline.py'))['main']
    assert main([str(config), '--dry-run']) == 0
    assert '[one] runs: not done yet' in capfd.readouterr().out
    assert main([str(config)]) == 0
    assert 'report page: ' in capfd.readouterr().out
    page = config.parent / 'work/report.html'
    assert 'three' in page.read_text(encoding='utf-8')
    page.unlink()
    page.mkdir()  # a page that cannot be written is no failed pipeline
    assert main([str(config)]) == 0
    assert 'no report page: ' in capfd.readouterr().out
    other = config.parent / 'other'
    options = ['--work-dir', str(other), '--from', 'one', '--until', 'two']
    assert main([str(config), *options, '--resume']) == 0
    assert (other / 'two/b.txt').is_file()
    assert not (other / 'three').exists()
    with pytest.raises(ValueError, match='a stage should be one of'):
        main([str(config), '--until', 'four'])


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
    check_free(config.parent / 'work')
