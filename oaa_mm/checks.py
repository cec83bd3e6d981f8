"""Checks of users' values, with messages that name the allowed ones."""

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from numbers import Integral, Real
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.structures import BaseDataElement


def check_choice(name: str, value: Any, allowed: Iterable[Any]) -> None:
    """Refuse a value that is not one of those allowed.

    Args:
        name (str): Name of the argument, for the message.
        value (Any): The value that was given.
        allowed (Iterable[Any]): The allowed values.

    Raises:
        ValueError: The value is another one.
    """
    allowed = tuple(allowed)  # which also takes values that have no hash
    if value not in allowed:
        raise ValueError(
            f'{name} should be one of {allowed}, but got {value!r}'
        )


def check_number(
    name: str,
    value: Any,
    *,
    low: float,
    high: float = math.inf,
    integer: bool = False,
    excluded: float | None = None,
) -> None:
    """Refuse a value that is not a number in a range; NaN is in none.

    Args:
        name (str): Name of the argument, for the message.
        value (Any): The value; ``--cfg-options`` may give anything.
        low (float): Least allowed value.
        high (float): Greatest allowed value; itself not allowed where it is
            infinite. Defaults to infinity.
        integer (bool): Whether only integers are allowed. Defaults to False.
        excluded (float | None): An end of the range that is itself refused.
            Defaults to None.

    Raises:
        ValueError: The value is of another kind or out of the range.
    """
    kind = Integral if integer else Real
    fits = isinstance(value, kind) and not isinstance(value, bool)
    fits = fits and low <= value <= high and value not in (math.inf, excluded)
    if not fits:
        begin = '(' if low == excluded else '['
        end = ')' if high in (math.inf, excluded) else ']'
        kind = 'an integer in' if integer else 'in'
        raise ValueError(
            f'{name} should be {kind} {begin}{low:g}, {high:g}{end}, but got '
            f'{value!r}'
        )


def require(
    sample: 'Mapping[str, Any] | BaseDataElement',
    key: str,
    *,
    needed_by: str,
    remedy: str = 'use an ImageLevelDataset whose pipeline ends with '
    'oaa_mm.PackImageLevelInputs, or put such a pipeline of a data set of '
    'mmseg into oaa_mm.RecordingCompose',
) -> Any:
    """Return a field of a data sample, or say how to get it.

    Args:
        sample (Mapping[str, Any] | BaseDataElement): A data sample, or the
            results of a pipeline.
        key (str): Name of the field.
        needed_by (str): Who needs it, for the message.
        remedy (str): How to get the field, for the message. Defaults to the
            pipeline that provides the fields of training samples.

    Returns:
        Any: The value of the field.

    Raises:
        ValueError: The sample has no such field.
    """
    if key not in sample:
        names = [sample.get(name) for name in ('img_path', 'image_id')]
        name = next(filter(None, names), 'a sample')
        raise ValueError(
            f'{name} has no `{key}`, which {needed_by} needs: {remedy}'
        )
    return sample.get(key)


def list_names(text: str, names: Sequence[str]) -> str:
    """Put some names and their number into a message.

    Args:
        text (str): ``{n}`` in it stands for the number, ``{names}`` for a
            colon and the first names.
        names (Sequence[str]): The names.

    Returns:
        str: The message.
    """
    text = text.replace('{n}', str(len(names)))
    return text.replace('{names}', f': {name_some(names)}')


def import_optional(name: str, remedy: str) -> ModuleType:
    """Import a module that only one feature needs.

    Args:
        name (str): The module.
        remedy (str): How to install it, and how to do without.

    Returns:
        ModuleType: The module.

    Raises:
        ValueError: It does not import.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ValueError(
            f'{name} does not import ({error}). {remedy}'
        ) from error


def name_some(names: Sequence[str], limit: int = 10) -> str:
    """The first `limit` of some names, and the number of the others."""
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more
