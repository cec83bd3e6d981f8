"""What a pipeline config says.

A pipeline config is a Python config of mmengine with

- `work_dir`: each stage works in a folder of its name in it;
- `stages`: dicts with `name`, `run` (a command or several, without `python`),
  `outputs` (files that exist when the stage is done), and optionally `inputs`
  (files that it reads; outputs of earlier stages in its commands count anyway)
  and `resume` (what to add to the last command to go on after an interruption;
  empty where the same command goes on);
- `checks`: commands that look at the data, for the dry run;
- `scores`: rows of the final table;
- any further texts, such as ``data = 'data/VOC2012'``.

In commands, ``{dir}`` is the folder of the stage itself, ``{name}`` that of an
earlier stage, and ``{data}`` the text of that name in the config, filled in in
`run`, `inputs`, `outputs`, `checks` and `scores`.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oaa_mm.runs.config import read_config

_FIELD = re.compile(r'\{(\w+)\}')
_STAGE_KEYS = {
    'name': 'a text',
    'run': 'a list of texts',
    'outputs': 'a list of texts',
    'resume': 'a text',
    'inputs': 'a list of texts',
}


@dataclass(frozen=True)
class Stage:
    """One stage with all paths filled in.

    Attributes:
        name (str): Name, unique in the pipeline.
        folder (Path): Where it works.
        commands (tuple[tuple[str, ...], ...]): Commands, split into words.
        inputs (tuple[Path, ...]): Files that it reads: outputs of earlier
            stages that its commands mention, and what `inputs` lists.
        outputs (tuple[Path, ...]): Files that it makes.
        resume (tuple[str, ...] | None): Words that make the last command go
            on after an interruption; None if it has to start anew.
    """

    name: str
    folder: Path
    commands: tuple[tuple[str, ...], ...]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    resume: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Pipeline:
    """Stages in their order, checks of the data, and the final table.

    Attributes:
        work_dir (Path): Folder of all stages.
        stages (tuple[Stage, ...]): In the order in which they run.
        checks (tuple[tuple[str, ...], ...]): Commands for the dry run.
        scores (tuple[dict[str, str], ...]): Rows of the final table, see
            :func:`oaa_mm.pipeline.table.read_row`.
    """

    work_dir: Path
    stages: tuple[Stage, ...]
    checks: tuple[tuple[str, ...], ...] = ()
    scores: tuple[dict[str, str], ...] = ()

    def between(self, first: str | None, last: str | None) -> list[Stage]:
        """The stages from `first` to `last`, both included.

        Args:
            first (str | None): Name of a stage; None is the first one.
            last (str | None): Name of a stage; None is the last one.

        Returns:
            list[Stage]: Those stages.

        Raises:
            ValueError: A name is unknown, or `last` comes before `first`.
        """
        names = [stage.name for stage in self.stages]
        for name in (first, last):
            if name is not None and name not in names:
                raise ValueError(
                    f'no stage is called {name!r}; there are {names}'
                )
        start = 0 if first is None else names.index(first)
        stop = len(names) if last is None else names.index(last) + 1
        if start >= stop:
            raise ValueError(f'stage {last!r} comes before {first!r}')
        return list(self.stages[start:stop])


def load_pipeline(
    path: str | os.PathLike, *, work_dir: str | os.PathLike | None = None
) -> Pipeline:
    """Read a pipeline config.

    Args:
        path (str | os.PathLike): The config.
        work_dir (str | os.PathLike | None): In place of the config's own.

    Returns:
        Pipeline: The stages with all paths filled in.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: A stage lacks something, has an unknown key or names what
            does not exist.
    """
    cfg = read_config(path)
    if not cfg.get('stages'):
        raise ValueError(f'{path}: a pipeline config needs `stages`')
    _check_kinds(cfg, path)
    if cfg.get('work_dir'):
        _check_kind(cfg.work_dir, 'a text', f'{path}: work_dir')
    folder = Path(work_dir or cfg.get('work_dir') or _default_dir(path))
    texts = {k: v for k, v in cfg.items() if isinstance(v, str)}
    texts['work_dir'] = str(folder)
    made: dict[str, Stage] = {}
    for entry in cfg.stages:
        stage = _read_stage(entry, folder, texts, made, path)
        made[stage.name] = stage
    texts |= {name: str(stage.folder) for name, stage in made.items()}
    return Pipeline(
        work_dir=folder,
        stages=tuple(made.values()),
        checks=tuple(
            tuple(shlex.split(_fill(command, texts, path)))
            for command in cfg.get('checks', [])
        ),
        scores=tuple(
            {key: _fill(text, texts, path) for key, text in row.items()}
            for row in cfg.get('scores', [])
        ),
    )


def _check_kinds(cfg: Mapping, path: str | os.PathLike) -> None:
    """Refuse entries of another kind than the top of this module says."""
    _check_kind(cfg.get('work_dir') or '', 'a text', f'{path}: work_dir')
    for key in ('stages', 'scores'):
        _check_kind(cfg.get(key, []), 'a list of dicts', f'{path}: {key}')
    _check_kind(cfg.get('checks', []), 'a list of texts', f'{path}: checks')
    for row in cfg.get('scores', []):
        _check_kind([*row.values()], 'a list of texts', f'{path}: scores')
    for number, entry in enumerate(cfg.stages):
        for key, kind in _STAGE_KEYS.items():
            where = f'{path}: stages[{number}].{key}'
            if key in entry and not (
                key == 'run' and isinstance(entry[key], str)
            ):
                _check_kind(entry[key], kind, where)


def _check_kind(value: object, kind: str, where: str) -> None:
    inside = {'a list of texts': str, 'a list of dicts': Mapping}.get(kind)
    if inside is None:
        fits = isinstance(value, str)
    else:
        fits = isinstance(value, (list, tuple)) and all(
            isinstance(item, inside) for item in value
        )
    if not fits:
        raise ValueError(f'{where} should be {kind}, but got {value!r}')


def _default_dir(path: str | os.PathLike) -> str:
    return os.path.join('work_dirs', Path(path).stem)


def _read_stage(
    entry: Mapping,
    work_dir: Path,
    texts: Mapping[str, str],
    earlier: Mapping[str, Stage],
    path: str | os.PathLike,
) -> Stage:
    name = entry.get('name')
    missing = {'name', 'run', 'outputs'} - set(entry)
    unknown = set(entry) - set(_STAGE_KEYS)
    if missing or unknown:
        raise ValueError(
            f'{path}: stage {name!r} lacks {sorted(missing)} and has unknown '
            f'keys {sorted(unknown)}; allowed are {sorted(_STAGE_KEYS)}'
        )
    if name in earlier or name in texts or not name.isidentifier():
        raise ValueError(
            f'{path}: stage name {name!r} should be an identifier that no '
            'other stage and no text of the config has'
        )
    folder = work_dir / name
    fields = {
        **texts,
        **{other: str(stage.folder) for other, stage in earlier.items()},
        'dir': str(folder),
    }
    runs = [entry['run']] if isinstance(entry['run'], str) else entry['run']
    commands = [shlex.split(_fill(run, fields, path)) for run in runs]
    declared = [Path(_fill(p, fields, path)) for p in entry.get('inputs', ())]
    return Stage(
        name=name,
        folder=folder,
        commands=tuple(map(tuple, commands)),
        inputs=tuple([*declared, *_mentioned(commands, earlier)]),
        outputs=tuple(
            folder / _fill(output, fields, path) for output in entry['outputs']
        ),
        resume=tuple(shlex.split(entry['resume']))
        if 'resume' in entry
        else None,
    )


def _mentioned(
    commands: list[list[str]], earlier: Mapping[str, Stage]
) -> list[Path]:
    """Outputs of earlier stages that the commands mention."""
    text = ' '.join(word for command in commands for word in command)
    return [
        output
        for stage in earlier.values()
        for output in stage.outputs
        if str(output) in text
    ]


def _fill(text: str, fields: Mapping[str, str], path: object) -> str:
    def value(match: re.Match) -> str:
        if match[1] not in fields:
            raise ValueError(
                f'{path}: {{{match[1]}}} in {text!r} is neither an earlier '
                f'stage nor a text of the config; known are {sorted(fields)}'
            )
        return fields[match[1]]

    for _ in range(5):  # a text may mention others
        text = _FIELD.sub(value, text)
    return text
