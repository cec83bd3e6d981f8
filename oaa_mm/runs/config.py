"""Configs and command lines, whose mistakes end in a message for the user."""

import os
from argparse import ArgumentError, ArgumentParser, Namespace
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction


def shipped_files(package: str = 'oaa_mm') -> Path | None:
    """Folder of the `configs` and `tools` that come with a package.

    Args:
        package (str): Import name of the package. Defaults to ``'oaa_mm'``.

    Returns:
        Path | None: The folder that mim looks into, ``.mim`` of an installed
        package, or the root of a checkout. None: there is no such package.
    """
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    return folder / '.mim' if (folder / '.mim').is_dir() else folder.parent


def config_path(name: str | os.PathLike) -> Path:
    """File of a config.

    Args:
        name (str | os.PathLike): A file, or ``package::file`` of a config that
            comes with a package: ``oaa_mm::oaa_vgg16_voc.py``.

    Returns:
        Path: The file, which may be absent.
    """
    package, separator, rest = os.fspath(name).partition('::')
    folder = shipped_files(package) if separator else None
    return (
        Path(name) if folder is None else (folder / 'configs').resolve() / rest
    )


def read_config(
    path: str | os.PathLike, *, lazy_import: bool | None = None
) -> Config:
    """Read a config of MMEngine, which is a program that is run.

    Args:
        path (str | os.PathLike): The config, see :func:`config_path`.
        lazy_import (bool | None): False for a config that uses its imports
            while it is run. Defaults to None: MMEngine tells its two forms of
            configs apart.

    Returns:
        Config: With all that it inherits.

    Raises:
        FileNotFoundError: It, or a base of it, does not exist.
        ValueError: It cannot be read or run; the message names it.
    """
    try:
        return Config.fromfile(config_path(path), lazy_import=lazy_import)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'config {path}: {error}') from error
    except Exception as error:  # whatever a program may raise
        raise ValueError(
            f'config {path} cannot be read: {type(error).__name__}: {error}'
        ) from error


def override_config(cfg: Config, options: Mapping[str, Any] | None) -> None:
    """Lay the entries of ``--cfg-options`` over a config.

    Args:
        cfg (Config): Changed in place.
        options (Mapping[str, Any] | None): Keys joined by dots -> values.

    Raises:
        ValueError: A key leads through an entry that is no dict or list.
    """
    for key, value in (options or {}).items():
        try:
            cfg.merge_from_dict({key: value})
        except Exception as error:  # nearly any, by what the key meets
            raise ValueError(
                f'--cfg-options {key}={value}: the config has no place for '
                f'it ({type(error).__name__}: {error}). Keys are joined by '
                'dots, entries of lists are numbers from 0'
            ) from error


class OptionsAction(DictAction):
    """``KEY=VALUE ...`` of a command line; other texts are refused.

    Values are numbers, texts, True, False, None, or lists of these in
    brackets. A value with spaces that is not in brackets is a text.
    """

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        """Keep the spaces of a path or command, which mmengine removes."""
        text = val.strip('\'"')  # as mmengine does
        in_brackets = text[:1] in ('[', '(')
        listed = ',' in text and {*text} & {*'[({'}
        if ' ' in text and not in_brackets and not listed:
            return text
        return DictAction._parse_iterable(val)

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add the entries to those of the namespace.

        Args:
            parser (ArgumentParser): The parser.
            namespace (Namespace): Gets the dict.
            values (Any): The words.
            option_string (str | None): The option as it was written.

        Raises:
            ArgumentError: A word cannot be read; it is named.
        """
        for word in values or ():
            try:
                super().__call__(parser, namespace, [word], option_string)
            except Exception as error:
                raise ArgumentError(
                    self,
                    f'{word[:200]!r} should be KEY=VALUE; a value is a '
                    'number, a text or a list such as [1,2], without braces '
                    'or calls',
                ) from error


def add_run_arguments(parser: ArgumentParser) -> None:
    """Add the options that mmseg's tools have for every run.

    Args:
        parser (ArgumentParser): Gets `config` and the options.
    """
    parser.add_argument(
        'config',
        help='config file, or oaa_mm::NAME of one that comes with oaa_mm',
    )
    parser.add_argument(
        '--work-dir', help='folder for logs, checkpoints and stores'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='override entries of the config, for example '
        'train_cfg.max_epochs=2 train_dataloader.dataset.data_root=PATH',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    # Given by torch.distributed.launch, which came before torchrun.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)


def load_run_config(args: Namespace) -> Config:
    """Read a config and lay the command line over it.

    Args:
        args (Namespace): Parsed options of :func:`add_run_arguments`.

    Returns:
        Config: With `launcher` and `work_dir` set; the default work_dir is
        ``work_dirs/`` and the config's name.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It cannot be read, or an option has no place in it.
    """
    cfg = read_config(args.config)
    cfg.launcher = args.launcher
    override_config(cfg, args.cfg_options)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = f'./work_dirs/{config_path(args.config).stem}'
    return cfg
