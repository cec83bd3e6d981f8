"""Every difference between the distributions of mmengine, mmcv and mmseg.

Two families provide the import packages `mmengine`, `mmcv` and `mmseg`: the
upstream distributions and the maintained OneDL ones. oaa_mm works on either
and never forces a second distribution of an import package that is present.
"""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pickle import UnpicklingError

#: Import package -> the distributions that provide it, preferred one first.
DISTRIBUTIONS = {
    'torch': ('torch',),
    'mmengine': ('onedl-mmengine', 'mmengine', 'mmengine-lite'),
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite'),
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation'),
}


def _installed(names: tuple[str, ...]) -> str | None:
    """The first of some distributions that is installed."""
    for name in names:
        with suppress(PackageNotFoundError):
            distribution(name)
            return name
    return None


def mmseg_distribution() -> str | None:
    """Name of the installed distribution that provides `mmseg`.

    Returns:
        str | None: ``'onedl-mmsegmentation'``, ``'mmsegmentation'``, or None
        where mmseg is importable without a distribution (a source checkout).
    """
    return _installed(DISTRIBUTIONS['mmseg'])


def check_installation() -> None:
    """Import torch, mmengine, mmcv and mmseg, or say how to install them.

    Raises:
        ImportError: A package is absent or does not import; the message names
            each one, the reason, and the command that mends it.
    """
    failures = {}
    for package in DISTRIBUTIONS:
        try:
            import_module(package)
        except Exception as error:  # a broken binary may raise anything
            failures[package] = f'{type(error).__name__}: {error}'
    if not failures:
        _check_operators()
        return
    lines = '\n'.join(f'  {name}: {why}' for name, why in failures.items())
    absent = [p for p in failures if _installed(DISTRIBUTIONS[p]) is None]
    if absent:
        names = ' '.join(DISTRIBUTIONS[package][0] for package in absent)
        remedy = (
            f'Install what is missing with `pip install {names}`, or '
            'everything with `pip install "oaa_mm[mm]"`.'
        )
    else:
        names = ' '.join(_installed(DISTRIBUTIONS[p]) for p in failures)
        remedy = (
            'They are installed but broken; see the reason above, then '
            f'try `pip install --force-reinstall {names}`.'
        )
    raise ImportError(
        f'oaa_mm needs packages that do not import:\n{lines}\n{remedy}'
    )


def _check_operators() -> None:
    """Upstream's mmseg imports mmcv's compiled operators, OneDL's does not."""
    if mmseg_distribution() != 'mmsegmentation' or find_spec('mmcv._ext'):
        return
    try:
        import_module('mmseg.utils')
    except ImportError as error:
        raise ImportError(
            f'mmsegmentation does not import ({error}): it needs the compiled '
            f'operators of mmcv, and {_installed(DISTRIBUTIONS["mmcv"])} was '
            'installed without them. Either build mmcv with them (`pip '
            'uninstall mmcv-lite`, then `pip install --no-build-isolation '
            'mmcv==2.1.0`), or use the OneDL distributions, which need none: '
            '`pip install "oaa_mm[mm]"` in a new environment.'
        ) from error


def _package2module(package: str) -> str:
    """Import package of a distribution; other names are returned as given."""
    text = None
    with suppress(PackageNotFoundError):
        text = distribution(package).read_text('top_level.txt')
    return ((text or '').split() or [package])[0]


def _is_installed(package: str) -> bool:
    """Whether a distribution, or a regular import package, is installed."""
    spec = find_spec(_package2module(package))
    return spec is not None and spec.origin is not None


def _get_installed_path(package: str) -> str:
    """Folder of the import package of a distribution, or of that name.

    Raises:
        ModuleNotFoundError: There is no such regular package.
    """
    if not _is_installed(package):
        raise ModuleNotFoundError(
            f'{package} is not installed as a regular package; try '
            f'`pip install {package}`'
        )
    return os.path.dirname(find_spec(_package2module(package)).origin)


def _replace_pkg_resources() -> None:
    """Let ``mmseg::...`` configs load with setuptools from release 81 on.

    Upstream's mmengine looks installed packages up with `pkg_resources`,
    which these releases lack. Its functions are replaced wherever a module of
    it has them; modules imported later get them from `mmengine.utils`.
    """
    if find_spec('pkg_resources') is not None:
        return
    from mmengine.utils import package_utils

    with suppress(ModuleNotFoundError):
        package_utils.is_installed('mmengine')
        return  # OneDL's mmengine does not need it
    replacements = {
        'is_installed': _is_installed,
        'get_installed_path': _get_installed_path,
        'package2module': _package2module,
    }
    for name, module in list(sys.modules.items()):
        if name.split('.')[0] == 'mmengine':
            for function in replacements.keys() & vars(module).keys():
                setattr(module, function, replacements[function])


def _history_statistic(owner: type, name: str) -> Callable:
    """The only use of `getattr` in a checkpoint of mmengine.

    Raises:
        UnpicklingError: Anything but a statistic of HistoryBuffer is asked
            for.
    """
    from mmengine.logging import HistoryBuffer

    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise UnpicklingError(f'getattr of {owner!r} and {name!r} is not trusted')


def checkpoint_types() -> list:
    """Types and functions in mmengine's checkpoints besides tensors.

    Returns:
        list: Arguments of `torch.serialization.add_safe_globals` (from
        torch 2.6 on); scalars and arrays of numpy, and mmengine's history of
        the losses.
    """
    import numpy
    from mmengine.logging import HistoryBuffer

    rebuild_array = numpy.zeros(1).__reduce__()[0]
    rebuild_scalar = numpy.float64(0).__reduce__()[0]
    kinds = (numpy.float64, numpy.float32, numpy.int64, numpy.uint32)
    # numpy has renamed its core in release 2; checkpoints may be older.
    cores = ('numpy.core.multiarray', 'numpy._core.multiarray')
    return [
        *(numpy.ndarray, numpy.dtype, HistoryBuffer),
        *(type(numpy.dtype(kind)) for kind in kinds),
        *((rebuild_array, f'{core}._reconstruct') for core in cores),
        *((rebuild_scalar, f'{core}.scalar') for core in cores),
        (_history_statistic, 'builtins.getattr'),
    ]


def _trust_checkpoint_types() -> None:
    """Let torch from 2.6 on load checkpoints of upstream's mmengine.

    OneDL's mmengine declares these types itself, and trusts more.
    """
    import torch
    from mmengine.runner import checkpoint

    refuses = hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint')
    if refuses and not hasattr(checkpoint, 'get_torch_safe_globals'):
        torch.serialization.add_safe_globals(checkpoint_types())


def setup_compat() -> None:
    """Check the installation and even out the distributions' differences.

    mmengine's table of packages whose configs can be inherited gets mmseg,
    which it looks up under the distribution name `mmsegmentation` only, and
    oaa_mm. Where `pkg_resources` is absent, mmengine's look-up of packages is
    replaced by one that does not need it. Where torch loads trusted types
    only and mmengine declares none, those of its own checkpoints are
    declared. `mmseg.datasets` is imported without what it prints. Nothing
    else changes.

    Raises:
        ImportError: See :func:`check_installation`.
    """
    check_installation()
    from mmengine.config.utils import MODULE2PACKAGE

    name = mmseg_distribution()
    if name is not None:
        MODULE2PACKAGE['mmseg'] = name
    MODULE2PACKAGE.setdefault('oaa_mm', 'oaa_mm')
    _replace_pkg_resources()
    _trust_checkpoint_types()
    # OneDL's prints that it lacks a package which nobody here needs.
    with redirect_stdout(None):
        import_module('mmseg.datasets')
