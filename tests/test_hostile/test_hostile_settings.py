"""Manifests, records, configs and arguments that are made up."""

import argparse
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import (
    bounded_memory,
    cases,
    mutated,
    nothing_is_run,
    only_documented,
)
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config

from oaa_mm.attention import AttentionAccumulator
from oaa_mm.datasets.transforms import ColorJitter
from oaa_mm.engine import OAAHook
from oaa_mm.io.manifest import (
    Manifest,
    differences,
    read_manifest,
    write_manifest,
)
from oaa_mm.models import CAMHead, HybridAttentionLoss
from oaa_mm.models.inference_config import InferenceConfig
from oaa_mm.pipeline import Pipeline, Stage, load_pipeline
from oaa_mm.pipeline.run import read_record
from oaa_mm.pipeline.table import read_score
from oaa_mm.pseudo_labels import LabelRules
from oaa_mm.runs import InvalidLossHook
from oaa_mm.runs.config import OptionsAction, override_config, read_config
from oaa_mm.tags import read_labels

MANIFEST = Manifest(
    tool='train', parameters={'a': 1}, seed=0,
    inputs={'store': {'path': 'x', 'sha256': 'ff', 'count': 1}},
)  # fmt: skip


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    with bounded_memory():
        yield tmp_path_factory.mktemp('settings')


KEYS = ('tool', 'parameters', 'inputs', 'seed', 'versions', 'date', 'format',
        'version', 'commands', 'configs', 'outputs', 'seconds')  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats()
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
CHANGES = st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1, max_size=3)


def check_manifest(path):
    with only_documented(path), nothing_is_run():
        manifest = read_manifest(path)
        differences(manifest, replace(manifest, tool='other'))


def test_damaged_manifests(folder):
    path = folder / 'manifest.json'
    write_manifest(path, MANIFEST)
    whole = path.read_bytes()

    @cases(150)
    @given(mutated([whole]) | CHANGES)
    def run(content):
        if isinstance(content, dict):
            content = json.dumps({**json.loads(whole), **content}).encode()
        path.write_bytes(content)
        check_manifest(path)

    run()


@pytest.mark.parametrize('text', [
    '[' * 200_000, '{"a":' * 100_000, '9' * 5000, '\ud800', '\0',
])  # fmt: skip
def test_json_that_breaks_parsers(folder, text):
    path = folder / 'deep.json'
    path.write_bytes(text.encode(errors='surrogatepass'))
    with pytest.raises(ValueError, match=r'deep\.json'):
        read_manifest(path)
    assert read_record(path) is None
    with pytest.raises(ValueError, match=r'deep\.json'):
        read_score({'name': 'row', 'file': str(path)})


def test_a_folder_in_place_of_a_manifest(folder):
    with pytest.raises(ValueError, match='is not a manifest'):
        read_manifest(folder)
    assert read_record(folder) is None


def test_inputs_that_are_no_dict(folder):
    path = folder / 'inputs.json'
    write_manifest(path, MANIFEST)
    content = json.loads(path.read_text())
    for inputs in ([1], 'ab', 3, {'a': [1]}):
        path.write_text(json.dumps({**content, 'inputs': inputs}))
        with pytest.raises(ValueError, match=r'damaged manifest: inputs$'):
            read_manifest(path)


def test_damaged_records_count_as_not_done(folder):
    path = folder / 'stage.json'
    now = replace(MANIFEST, outputs={'o': {'sha256': '3', 'count': 1}})
    write_manifest(path, now)
    whole = path.read_bytes()

    @cases(150)
    @given(mutated([whole]) | CHANGES)
    def run(content):
        if isinstance(content, dict):
            content = json.dumps({**json.loads(whole), **content}).encode()
        path.write_bytes(content)
        with nothing_is_run():
            record = read_record(path)
        if record is not None:
            differences(now, record)

    run()


def test_records_of_earlier_versions_count_as_not_done(folder):
    path = folder / 'stage.json'
    path.write_text(json.dumps({'commands': [['a']], 'outputs': {'o': '3'}}))
    assert read_record(path) is None


STAGE = {'folder': 'one', 'commands': 'a.py', 'outputs': ['x']}
ENTRIES = st.dictionaries(
    st.sampled_from((*STAGE, 'resume', 'inputs')), JSON, max_size=2
)
FIELDS = st.dictionaries(
    st.sampled_from(('work_dir', 'stages', 'checks', 'scores')), JSON,
    max_size=2,
)  # fmt: skip


def test_pipelines_of_anything():
    @cases(200)
    @given(st.lists(ENTRIES, max_size=2), FIELDS)
    def run(entries, fields):
        with nothing_is_run(), suppress(ValueError):
            stages = [Stage(**{**STAGE, **entry}) for entry in entries]
            pipeline = Pipeline(
                **{'work_dir': 'work', 'stages': stages, **fields}
            )
            for stage in pipeline.stages:
                assert stage.folder.name == stage.name
                assert all(isinstance(o, Path) for o in stage.outputs)

    run()


@pytest.mark.parametrize('entries', [
    {}, {'stages': [{}]}, {'stages': 3}, {'scores': []}, {'pipeline': 3},
    {'pipeline': lambda cfg: cfg}, {'pipeline': lambda cfg: cfg.data},
    {'pipeline': lambda: None}, {'x': '{data}/x', 'pipeline': repr},
])  # fmt: skip
def test_pipeline_configs_of_anything(folder, monkeypatch, entries):
    path = folder / 'pipeline.py'
    path.write_text('')
    monkeypatch.setattr(
        'oaa_mm.pipeline.load.read_config', lambda _, **__: Config(entries)
    )
    with pytest.raises(ValueError, match='pipeline.py'):
        load_pipeline(path)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a = ', 'SyntaxError'),
        ('a = b', 'NameError'),
        ('raise KeyError("x")', 'KeyError'),
        ("_base_ = ['absent.py']", 'absent'),
        ('\0', 'cannot be read'),
        ('\xff', 'cannot be read'),
        ('a = ' + '(' * 300, 'cannot be read'),
    ],
)
def test_configs_that_do_not_run(folder, text, message):
    path = folder / 'config.py'
    path.write_bytes(text.encode('latin1'))
    with pytest.raises(
        (ValueError, FileNotFoundError), match=message
    ) as error:
        read_config(path)
    assert 'config.py' in str(error.value)


def test_configs_of_other_kinds(folder):
    for name in ('absent.py', 'config.exe', 'config'):
        with pytest.raises((ValueError, FileNotFoundError), match=name):
            read_config(folder / name)
        (folder / name).write_text('x')


@pytest.mark.parametrize('value', [[], {}, None])
def test_texts_that_are_none(value, tmp_path):
    with pytest.raises(ValueError, match='reduction should be'):
        HybridAttentionLoss(reduction=value)
    with pytest.raises(ValueError, match=r'format should be|is not clear'):
        read_labels(tmp_path, format=value)


WORDS = st.text(st.sampled_from('ab.=,()[]{}"\' 01-'), max_size=14)


def test_options_of_anything():
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)

    @cases(200)
    @given(st.lists(WORDS | st.text(max_size=6), min_size=1, max_size=2))
    def run(words):
        cfg = Config({'a': {'b': [1, {'a': 2}]}, 'b': 1})
        try:
            args = parser.parse_args(['--cfg-options', *words])
        except (argparse.ArgumentError, SystemExit):
            return
        try:
            override_config(cfg, args.cfg_options)
        except ValueError as error:
            refused = str(error)
        else:
            refused = '--cfg-options'
        assert '--cfg-options' in refused

    run()


@pytest.mark.parametrize('word', [
    'a', "a=[dict(type='X',b=1)]", 'a=' + '[' * 2000 + ']' * 2000, 'a=(1,2',
    "a={'b': [1, 2}",
])  # fmt: skip
def test_options_that_are_no_values(word):
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    with pytest.raises(argparse.ArgumentError, match='should be KEY=VALUE'):
        parser.parse_args(['--cfg-options', word])


@pytest.mark.parametrize(('text', 'value'), [
    ('/my data (1)/x', '/my data (1)/x'),
    ('--refine par,crf --alpha 2', '--refine par,crf --alpha 2'),
    ('[1, 2]', [1, 2]), ('1', 1), ('par,crf', ['par', 'crf']),
])  # fmt: skip
def test_values_keep_their_spaces(text, value):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=OptionsAction)
    args = parser.parse_args(['--cfg-options', f'a={text}'])
    assert args.cfg_options == {'a': value}


@pytest.mark.parametrize('key', ['a.b.9', 'a.b.x', 'c.0.d', 'a.b.1.a.b', ''])
def test_options_without_a_place(key):
    cfg = Config({'a': {'b': [1, {'a': 2}]}, 'c': 1})
    try:
        override_config(cfg, {key: 1})
    except ValueError as error:
        message = str(error)
        assert f'--cfg-options {key}=1: the config has no place' in message
    else:
        assert key in ('c.0.d', 'a.b.1.a.b', '')  # made, as mmengine does


ANYTHING = (
    st.none() | st.booleans() | st.integers(-3, 20) | st.floats()
    | st.text(max_size=3) | st.lists(st.integers(-1, 3), max_size=2)
    | st.sampled_from(
        ('max', 'mean', 'topk', 'threshold', 'none', 'minmax', 'last',
         'saliency', 'power', 'joint', 'loss_a')
    )
)  # fmt: skip


def arguments(kind, names):
    names = st.sampled_from(names)
    return st.tuples(
        st.just(kind), st.dictionaries(names, ANYTHING, max_size=3)
    )


CONSTRUCTED = st.one_of(
    arguments(OAAHook, ('fusion', 'acceptance', 'threshold', 'norm',
                        'start_epoch', 'fallback', 'epoch_length')),
    arguments(AttentionAccumulator, ('fusion', 'threshold', 'start_epoch')),
    arguments(InvalidLossHook, ('patience', 'interval')),
    arguments(LabelRules, ('background', 'alpha', 'theta', 'bg_threshold')),
    arguments(InferenceConfig, ('scales', 'score_thr', 'norm')),
    arguments(HybridAttentionLoss, ('reduction', 'loss_weight', 'loss_name',
                                    'use_sigmoid')),
    arguments(ColorJitter, ('brightness', 'contrast', 'hue')),
    arguments(lambda **given: CAMHead(
        **{'in_channels': 2, 'num_classes': 2, 'channels': 2, **given}
    ), ('in_channels', 'num_classes', 'num_convs', 'channels')),
)  # fmt: skip


@cases(250)
@given(CONSTRUCTED)
def test_arguments_of_anything(drawn):
    kind, given_arguments = drawn
    with only_documented('', (ValueError,)):
        kind(**given_arguments)
