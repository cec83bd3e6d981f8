"""Reading a pipeline config, for one seed or several."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from mmengine.config import Config

from oaa_mm.checks import check_choice
from oaa_mm.runs.config import config_path, override_config, read_config

from .plan import Pipeline, Stage

_EXAMPLE = 'docs/pipeline.md shows one'


def load_pipeline(
    path: str | os.PathLike,
    *,
    work_dir: str | os.PathLike | None = None,
    options: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (),
) -> Pipeline:
    """Read a pipeline config.

    Args:
        path (str | os.PathLike): The config.
        work_dir (str | os.PathLike | None): In place of the config's own.
        options (Mapping[str, Any] | None): Settings in place of the config's
            own. Defaults to none.
        seeds (Sequence[int]): Seeds for which it is run. Defaults to none:
            once, with the seeds that the configs of the stages have.

    Returns:
        Pipeline: The stages, for all seeds.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: The config cannot be run, has no function `pipeline` or
            no such setting, or makes something else than a pipeline, or no
            difference between the seeds.
    """
    cfg = read_config(path, lazy_import=False)
    make = cfg.get('pipeline')
    if not callable(make):
        raise ValueError(
            f'{path}: a pipeline config needs a function `pipeline(cfg)` '
            f'under `@partial`; {_EXAMPLE}'
        )
    settings = [key for key, value in cfg.items() if not callable(value)]
    for key in options or ():
        check_choice(f'{path}: a setting', key.partition('.')[0], settings)
    override_config(cfg, options)
    default = f'work_dirs/{config_path(path).stem}'
    cfg.work_dir = work_dir or cfg.get('work_dir') or default
    pipeline = _make(path, make, cfg, seed=None)
    with redirect_stdout(None):  # what it prints has been printed
        of_seeds = {seed: _make(path, make, cfg, seed) for seed in seeds}
    return _merge(path, pipeline, of_seeds) if of_seeds else pipeline


def _make(
    path: str | os.PathLike, make: Callable, cfg: Config, seed: int | None
) -> Pipeline:
    cfg.seed = seed
    try:
        pipeline = make(cfg)
    except Exception as error:  # whatever a program may raise
        raise ValueError(
            f'{path}: pipeline(cfg) failed: {type(error).__name__}: {error}'
        ) from error
    if not isinstance(pipeline, Pipeline):
        raise ValueError(
            f'{path}: pipeline(cfg) should return a Pipeline, but got '
            f'{pipeline!r}; {_EXAMPLE}'
        )
    return pipeline


def _merge(
    path: str | os.PathLike, plain: Pipeline, of_seeds: Mapping[int, Pipeline]
) -> Pipeline:
    """Join the pipelines of the seeds, where equal stages count once."""
    stages: dict[Path, Stage] = {}
    scores = []
    for seed, pipeline in of_seeds.items():
        if pipeline.stages == plain.stages:
            raise ValueError(f'{path}: pipeline(cfg) does not use cfg.seed')
        for stage in pipeline.stages:
            if stages.setdefault(stage.folder, stage) != stage:
                raise ValueError(
                    f'{path}: stage {stage.title!r} differs for seed {seed}, '
                    'but has the same folder; put cfg.seed into its name'
                )
        for row in pipeline.scores:
            own = row not in plain.scores
            scores += [{**row, 'seed': seed} if own else row]
    plain.stages, plain.scores = [*stages.values()], scores
    return plain
