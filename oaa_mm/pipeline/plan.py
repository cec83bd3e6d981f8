"""The stages of a pipeline, as a pipeline config writes them.

A pipeline config is a config of mmengine: settings, which another config can
inherit and change, and a function that makes the stages of them::

    from functools import partial

    from oaa_mm.pipeline import Pipeline, Stage

    data = 'data/VOC2012'

    @partial  # a config of mmengine keeps objects but drops plain functions
    def pipeline(cfg):
        oaa = Stage(
            f'{cfg.work_dir}/oaa',
            '-m oaa_mm train oaa_mm::oaa_vgg16_voc.py '
            f'--work-dir {cfg.work_dir}/oaa',
            outputs=['epoch_15.pth'],
            resume='--resume',
        )
        return Pipeline(cfg.work_dir, [oaa])

`cfg` holds the settings and `work_dir`: that of the command line, else of the
config, else ``work_dirs/{name of the config}``. `cfg.seed` is None, or one of
the seeds of the command line: the function is called once for each of them,
and a stage that has the same folder for all seeds is done once.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oaa_mm.checks import check_choice


@dataclass
class Stage:
    """One stage: commands, the files that they read and those they make.

    Attributes:
        folder (Path): Where the stage works, unique in the pipeline; its
            last part is the stage's name.
        commands (list[list[str]]): Commands, without `python`. Given as a
            text or a list of texts, which are split into words as a shell
            does.
        outputs (list[Path]): Files that exist when the stage is done. Given
            relative to the folder.
        inputs (list[Path]): Files that it reads. Outputs of earlier stages
            that its commands mention are added by :class:`Pipeline`. Defaults
            to none.
        resume (list[str] | None): Words that make the last command go on after
            an interruption, given as a text; empty where the same command goes
            on. Defaults to None: the stage starts anew.
        title (str): Name of the stage in messages: its folder within that of
            the pipeline, such as ``'seed_1/segmentation'``.

    Raises:
        ValueError: A field is of another kind, or there is no command.
    """

    folder: Path
    commands: list[list[str]]
    outputs: list[Path]
    inputs: list[Path] = ()
    resume: list[str] | None = None
    title: str = field(init=False)

    def __post_init__(self) -> None:
        """Check the fields of a config and turn them into paths and words."""
        where = f'stage {self.folder}'
        (self.folder,) = _paths(f'{where}: folder', [self.folder])
        commands = self.commands
        if isinstance(commands, str):
            commands = [commands]
        self.commands = _words(f'{where}: commands', commands)
        if not self.name or not all(self.commands) or not self.commands:
            raise ValueError(f'{where} needs a folder and a command')
        self.title = self.name
        outputs = _paths(f'{where}: outputs', self.outputs)
        self.outputs = [self.folder / output for output in outputs]
        self.inputs = _paths(f'{where}: inputs', self.inputs)
        if self.resume is not None:
            (self.resume,) = _words(f'{where}: resume', [self.resume])

    @property
    def name(self) -> str:
        """Name of the stage: that of its folder, whatever the seed."""
        return self.folder.name


@dataclass
class Pipeline:
    """Stages in their order, checks of the data, and the final table.

    Attributes:
        work_dir (Path): Folder of all stages.
        stages (list[Stage]): In the order in which they run.
        checks (list[list[str]]): Commands that look at the data, for the dry
            run; given as texts. Defaults to none.
        scores (Sequence[Mapping[str, Any]]): Cells of the final table, see
            :func:`oaa_mm.pipeline.table.read_score`. Defaults to none.
        reference (str): Row of the table of which the others are a share, in
            the last column. Defaults to ``''``: none.
        main (str): Row from which the others differ. Defaults to ``''``.

    Raises:
        ValueError: A field is of another kind, there is no stage, or two have
            one folder.
    """

    work_dir: Path
    stages: list[Stage]
    checks: list[list[str]] = ()
    scores: Sequence[Mapping[str, Any]] = ()
    reference: str = ''
    main: str = ''

    def __post_init__(self) -> None:
        """Check the fields of a config; add inputs made by earlier stages."""
        (self.work_dir,) = _paths('work_dir', [self.work_dir])
        self.checks = _words('checks', self.checks)
        _check_list('stages', self.stages, Stage, 'Stage objects')
        _check_list('scores', self.scores, Mapping, 'dicts')
        titles = [self._title(stage) for stage in self.stages]
        if not titles or len(set(titles)) < len(titles):
            raise ValueError(
                f'stages should be one or more of different names, got '
                f'{titles}'
            )
        made: list[Path] = []
        for stage in self.stages:
            text = ' '.join(map(shlex.join, stage.commands))
            read = [path for path in made if str(path) in text]
            stage.inputs += [p for p in read if p not in stage.inputs]
            made += stage.outputs

    def _title(self, stage: Stage) -> str:
        if stage.folder.is_relative_to(self.work_dir):
            inside = stage.folder.relative_to(self.work_dir)
            stage.title = inside.as_posix()
        return stage.title

    def between(self, first: str | None, last: str | None) -> list[Stage]:
        """The stages from `first` to `last`, both included, of every seed.

        Args:
            first (str | None): Name of a stage; None is the first one.
            last (str | None): Name of a stage; None is the last one.

        Returns:
            list[Stage]: Those stages.

        Raises:
            ValueError: A name is unknown, or `last` comes before `first`.
        """
        names = list(dict.fromkeys(stage.name for stage in self.stages))
        first, last = first or names[0], last or names[-1]
        for name in (first, last):
            check_choice('a stage', name, names)
        start, stop = names.index(first), names.index(last) + 1
        if start >= stop:
            raise ValueError(f'stage {last!r} comes before {first!r}')
        return [s for s in self.stages if s.name in names[start:stop]]


def _check_list(where: str, value: Any, kind: type, what: str) -> None:
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(item, kind) for item in value
    ):
        raise ValueError(
            f'{where} should be a list of {what}, but got {value!r}'
        )


def _paths(where: str, value: Any) -> list[Path]:
    _check_list(where, value, str | os.PathLike, 'texts')
    return [Path(item) for item in value]


def _words(where: str, commands: Any) -> list[list[str]]:
    """Commands split into words as a shell does."""
    _check_list(where, commands, str, 'texts')
    try:
        return [shlex.split(command) for command in commands]
    except ValueError as error:  # quotes that do not end
        raise ValueError(f'{where}: {commands!r}: {error}') from error
