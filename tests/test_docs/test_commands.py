"""Every command of the documentation names what exists.

What the commands do is tested elsewhere; here each is parsed by its own tool,
and its config is read.
"""

import argparse
import importlib.util
import inspect
import re
from functools import cache
from pathlib import Path

import mmseg
import mmseg.registry
import pytest
from documented_commands import (
    ROOT,
    documented_pages,
    is_tool,
    read_commands,
)
from mmengine.config import Config

import oaa_mm  # noqa: F401  (its names in the registries)
from oaa_mm.__main__ import COMMANDS as OAA_MM_COMMANDS
from oaa_mm.pipeline import load_pipeline
from oaa_mm.runs.config import config_path

COMMANDS = [c for page in documented_pages() for c in read_commands(page)]
#: Tools that a command may name without being of this repository.
MMSEG = Path(mmseg.__file__).parent / '.mim'
#: These hand their arguments to a tool, except for the number of processes.
LAUNCHERS = {'tools/dist_train.sh': 1, 'tools/dist_test.sh': 2}
PLACEHOLDER = re.compile('[A-Z][A-Z_]*')
REGISTRIES = [
    getattr(mmseg.registry, name)
    for name in ('MODELS', 'DATASETS', 'TRANSFORMS', 'LOOPS', 'HOOKS')
] + [mmseg.registry.PARAM_SCHEDULERS]


@pytest.fixture(autouse=True)
def _placeholders(monkeypatch):
    """PART and N stand for any choice and any number."""
    for name in ('_check_value', '_get_value'):
        real = getattr(argparse.ArgumentParser, name)

        def lenient(self, action, text, real=real):
            fits = isinstance(text, str) and PLACEHOLDER.fullmatch(text)
            return text if fits else real(self, action, text)

        monkeypatch.setattr(argparse.ArgumentParser, name, lenient)


@cache
def load_tool(path):
    spec = importlib.util.spec_from_file_location(f'tool_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parser_of(tool):
    """The parser that a tool makes, which none of them hands out."""
    parsers = []

    def stop(parser, *args):
        parsers.append(parser)
        raise SystemExit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', stop)
        with pytest.raises(SystemExit):
            tool.parse_args([])
    return parsers[0]


def options_of(parser):
    """Options of a parser and of its subcommands."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                found |= options_of(sub)
    return found


def check(command, monkeypatch):
    """Fail with what a user could not do."""
    first, *rest = command.words
    for word in command.words:
        if re.fullmatch(r'configs/.+\.py', word):
            assert (ROOT / word).is_file(), f'{command}: no {word}'
        if re.fullmatch(r'\w+::.+\.py', word):
            assert config_path(word).is_file(), f'{command}: no {word}'
    if first == 'make':
        makefile = (ROOT / 'Makefile').read_text()
        assert f'\n{rest[0]}:' in makefile, f'{command}: no such target'
    elif rest[:2] == ['-m', 'oaa_mm'] and rest[2:]:
        tool = OAA_MM_COMMANDS.get(rest[2])
        assert tool, f'{command}: no such command'
        check_tool(command, f'tools/{tool}', rest[3:], monkeypatch)
    elif rest[:1] == ['-m']:
        assert importlib.util.find_spec(rest[1]), f'{command}: no such module'
    else:
        path, *argv = rest if not is_tool(first) else command.words
        check_tool(command, path, argv, monkeypatch)


def check_tool(command, path, argv, monkeypatch):
    if not (ROOT / path).is_file():
        assert (MMSEG / path).is_file(), f'{command}: no {path}'
        return
    if path in LAUNCHERS:
        place = LAUNCHERS[path]
        assert re.fullmatch(r'\d+|N', argv[place]), f'{command}: processes?'
        path = path.replace('dist_', '').replace('.sh', '.py')
        argv = argv[:place] + argv[place + 1 :]
    if path.endswith('.sh'):
        return
    tool = load_tool(ROOT / path)
    if not command.whole:
        named = {w.split('=')[0] for w in argv if w.startswith('--')}
        unknown = named - options_of(parser_of(tool))
        assert not unknown, f'{command}: no option {unknown}'
        return
    for name, value in command.env.items():
        monkeypatch.setenv(name, value)
    args = tool.parse_args(argv)
    check_keys(command, args)


def check_keys(command, args):
    """The keys of --cfg-options are entries that the config can have."""
    config = ROOT / config_path(str(getattr(args, 'config', None)))
    if not config.is_file():
        return  # a placeholder
    if 'pipelines' in config.parts:
        load_pipeline(config, options=args.cfg_options)
        return
    cfg = Config.fromfile(config).to_dict()
    for key in args.cfg_options or ():
        *parents, last = key.split('.')
        node = cfg
        for part in parents:
            known = has_entry(node, part) or takes_argument(node, part)
            assert known, f'{command}: {config} has no {part!r} of {key}'
            if not has_entry(node, part):  # a dict that the config leaves out
                return
            node = node[int(part) if isinstance(node, list) else part]
        known = has_entry(node, last) or takes_argument(node, last)
        assert known, f'{command}: {config} cannot have {key}'


def has_entry(node, key):
    """Whether a part of a config has that key, or index."""
    if isinstance(node, list):
        return key.isdigit() and int(key) < len(node)
    return key in node


def takes_argument(node, name):
    """Whether what is built of a part of a config has that argument."""
    kind = node.get('type', '') if isinstance(node, dict) else ''
    built = (registry.get(kind) for registry in REGISTRIES)
    return any(cls is not None and accepts(cls, name) for cls in built)


def accepts(cls, name):
    """Whether a class or one that it hands `**kwargs` to has an argument."""
    for base in inspect.getmro(cls):
        arguments = inspect.signature(base.__init__).parameters
        if name in arguments:
            return True
        if inspect.Parameter.VAR_KEYWORD not in {
            a.kind for a in arguments.values()
        }:
            return False
    return False


@pytest.mark.parametrize('command', COMMANDS, ids=str)
def test_the_command_names_what_exists(command, monkeypatch, capsys):
    try:
        check(command, monkeypatch)
    except SystemExit:
        pytest.fail(f'{command}: {capsys.readouterr().err.splitlines()[-1]}')


def test_commands_are_found():
    """So that the test above cannot pass for want of commands."""
    whole = [c for c in COMMANDS if c.whole]
    assert len(whole) >= 50
    for page, number in {
        'README.md': 6,
        'docs/tutorial.md': 8,
        'docs/data.md': 8,
        'docs/results.md': 18,
        'docs/distributed.md': 6,
    }.items():
        assert sum(c.page == ROOT / page for c in whole) >= number, page
    for tool in ROOT.glob('tools/[a-z]*_*.py'):
        assert any(f'tools/{tool.name}' in c.words for c in COMMANDS), tool


PAGE = """
```
D=work_dirs
export NAME=a C=configs/toy/oaa_r18_toy.py
python tools/train.py $C --work-dir $D/$NAME \\
    --cfg-options train_cfg.max_epochs=1 [--amp] [OPTIONS] > log  # isn't it
srun -n 8 python tools/test.py CONFIG CHECKPOINT --launcher slurm
```
Text with `tools/evaluate.py
labels --workers 8`, and `make demo`.
```python
import tools
```
"""


def test_commands_are_read_as_a_shell_would():
    found = read_commands(ROOT / 'README.md', PAGE)
    assert [' '.join(c.words) for c in found] == [
        'python tools/train.py configs/toy/oaa_r18_toy.py --work-dir '
        'work_dirs/a --cfg-options train_cfg.max_epochs=1 --amp',
        'python tools/test.py CONFIG CHECKPOINT --launcher slurm',
        'tools/evaluate.py labels --workers 8',
        'make demo',
    ]
    assert [c.whole for c in found] == [True, True, False, True]
    assert found[0].env['C'] == 'configs/toy/oaa_r18_toy.py'


@pytest.mark.parametrize(
    'line',
    [
        'python tools/no_tool.py a',
        'make nothing',
        'python -m oaa_mm.no_module',
        'python -m oaa_mm trian CONFIG',
        'python -m oaa_mm train oaa_mm::no_config.py',
        'python -m oaa_mm train CONFIG --no-option',
        'python tools/train.py configs/no_config.py',
        'python tools/train.py configs/toy/oaa_r18_toy.py --no-option',
        'python tools/train.py configs/toy/oaa_r18_toy.py '
        '--cfg-options train_cfg.epochs=1',
        'python tools/train.py configs/toy/oaa_r18_toy.py '
        '--cfg-options model.backbone.frozen=1',
        'python tools/evaluate.py labels DIR',
        'bash tools/dist_train.sh configs/toy/oaa_r18_toy.py --resume 2',
        'tools/evaluate.py labels --no-option',
    ],
)
def test_wrong_commands_are_refused(line, monkeypatch):
    (command,) = read_commands(ROOT / 'README.md', f'```\n{line}\n```\n')
    with pytest.raises((AssertionError, SystemExit)):
        check(command, monkeypatch)
