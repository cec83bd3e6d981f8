"""Reading pickled numpy values without running anything from the file.

A pickle is a program: it may name any function of any module and call it.
Here each name that numpy's own pickles use is bound to a stand-in of ours,
which builds the value from its bytes; every other name is refused. So not
even numpy's C code is handed states that were made up.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sized
from typing import Any

import numpy as np

#: What labels and image numbers are made of.
_NUMBER_TYPES = (
    'b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'
)  # fmt: skip


class _DType:
    """Stand-in for `numpy.dtype`."""

    def __init__(self, code: bytes | str, *_: object) -> None:
        # Python 2 wrote texts that come back as bytes or latin-1 texts.
        self.code = str(code, 'latin1') if isinstance(code, bytes) else code
        if not isinstance(self.code, str):
            raise ValueError('the name of a type is no text')
        self.order = '|'

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    @property
    def dtype(self) -> np.dtype:
        if self.code not in _NUMBER_TYPES:
            raise ValueError(
                f'it holds values of type {self.code!r}, not numbers'
            )
        order = self.order if self.order in ('<', '>') else '='
        return np.dtype(self.code).newbyteorder(order)


def _frombuffer(
    buffer: bytes | str,
    dtype: _DType,
    shape: tuple[int, ...],
    order: str = 'C',
) -> np.ndarray:
    """An array whose memory is what the file holds, never more."""
    if isinstance(buffer, str):
        buffer = buffer.encode('latin1')
    # A length that does not fit `shape` makes reshape raise.
    return np.frombuffer(buffer, dtype.dtype).reshape(shape, order=order)


class _Array:
    """Stand-in for `numpy.ndarray`."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget
        self.value: np.ndarray | list | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, is_fortran, data = state
        if isinstance(data, list):  # an array of Python objects
            self.value = data
            return
        order = 'F' if is_fortran else 'C'
        self.value = self._budget.frombuffer(data, dtype, shape, order)


def _scalar(dtype: _DType, data: bytes | str) -> np.generic | str:
    """A number, or a text: ids taken from an array are numpy's texts."""
    if dtype.code.startswith('U') and isinstance(data, bytes):
        encoding = 'utf-32-be' if dtype.order == '>' else 'utf-32-le'
        return data.decode(encoding).rstrip('\0')
    return _frombuffer(data, dtype, ())[()]


class _Budget:
    """Bounds what stand-ins copy from a file of `size` bytes.

    One large value may be named again and again at a few bytes each. A proper
    file copies each value twice at most: texts that are bytes that are texts.
    """

    def __init__(self, size: int) -> None:
        self.left = 2 * size

    def spend(self, value: Sized) -> None:
        self.left -= len(value)
        if self.left < 0:
            raise ValueError('it copies more than the file holds')

    def encode(self, text: str, encoding: str) -> bytes:
        if encoding != 'latin1':
            raise ValueError('it encodes bytes in another way than latin1')
        self.spend(text)
        return text.encode('latin1')

    def frombuffer(self, buffer: bytes | str, *arguments: Any) -> np.ndarray:
        if isinstance(buffer, str):  # bytes are not copied
            self.spend(buffer)
        return _frombuffer(buffer, *arguments)

    def scalar(self, dtype: _DType, data: bytes | str) -> np.generic | str:
        self.spend(data)
        return _scalar(dtype, data)

    def ordered_dict(self, items: Collection = ()) -> OrderedDict:
        self.spend(items)
        _check_keys([key for key, _ in items])
        return OrderedDict(items)


def _check_keys(keys: Iterable) -> None:
    """Refuse tuples, whose hash may take forever or overflow the stack."""
    for key in keys:
        if not isinstance(key, (str, bytes, int, float, np.generic)):
            raise ValueError(
                f'a key of a dict is a {type(key).__name__}, neither text '
                'nor number'
            )


def _allowed_names(size: int) -> dict[tuple[str, str], Callable]:
    budget = _Budget(size)
    # Functions made anew, so that a file can change none that others use.
    names = {
        ('numpy', 'ndarray'): lambda: None,  # only ever named
        ('numpy', 'dtype'): lambda *arguments: _DType(*arguments),
        ('_codecs', 'encode'): lambda *arguments: budget.encode(*arguments),
        ('builtins', 'bytes'): lambda: b'',
        ('__builtin__', 'bytes'): lambda: b'',
        ('collections', 'OrderedDict'): lambda *items: budget.ordered_dict(
            *items
        ),
    }
    for package in ('numpy.core', 'numpy._core'):  # numpy 1, numpy 2
        names |= {
            (f'{package}.multiarray', '_reconstruct'): lambda *_: _Array(
                budget
            ),
            (f'{package}.multiarray', 'scalar'): lambda *arguments: (
                budget.scalar(*arguments)
            ),
            (f'{package}.numeric', '_frombuffer'): lambda *arguments: (
                budget.frombuffer(*arguments)
            ),
        }
    return names


# Not the C unpickler: that one allocates by numbers found in the file, where a
# memo index of a few bytes takes gigabytes.
class _NumpyUnpickler(pickle._Unpickler):
    """An unpickler that knows the stand-ins and nothing else."""

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, data: bytes) -> None:
        # latin1 is what numpy uses for the pickles of Python 2.
        super().__init__(io.BytesIO(data), encoding='latin1')
        self._names = _allowed_names(len(data))

    def find_class(self, module: str, name: str) -> Any:
        """Stand-in for a global name."""
        if (module, name) not in self._names:
            raise ValueError(
                f'it refers to the forbidden global {module}.{name}, which '
                'is not needed for labels and may run code; nothing was run'
            )
        return self._names[module, name]

    def load_bytearray8(self) -> None:
        """Read a bytearray; the base class allocates it before it reads."""
        (length,) = struct.unpack('<Q', self.read(8))
        self.append(bytearray(self.read(length)))

    def load_setitem(self) -> None:
        """Enter one pair in a dict."""
        _check_keys(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        """Enter pairs in a dict."""
        _check_keys(self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        """Make a dict of pairs."""
        _check_keys(self.stack[::2])
        super().load_dict()

    def refuse_set(self) -> None:
        """Refuse a set, whose members are hashed."""
        raise ValueError('it holds a set')

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.DICT[0]] = load_dict
    dispatch[pickle.ADDITEMS[0]] = refuse_set
    dispatch[pickle.FROZENSET[0]] = refuse_set


def load_numpy_pickle(data: bytes) -> dict:
    """Load the dict of a 0-d object array, as `np.save(path, {...})` does.

    Args:
        data (bytes): The pickle, without the header of the .npy file.

    Returns:
        dict: Its arrays of numbers are :class:`numpy.ndarray`, read-only.

    Raises:
        ValueError: The pickle is broken, refers to anything but plain
            containers and numpy values, or holds something else than a dict.
    """
    try:
        value = _NumpyUnpickler(data).load()
    except ValueError:
        raise
    except Exception as error:  # broken pickles raise nearly anything
        raise ValueError(
            f'its pickle is broken: {type(error).__name__}: {error}'
        ) from error
    value = value.value if isinstance(value, _Array) else None
    if not isinstance(value, list) or len(value) != 1:
        raise ValueError('it does not hold a single Python object')
    if not isinstance(value[0], dict):
        raise ValueError(
            f'it holds a {type(value[0]).__name__.strip("_")}, not a dict'
        )
    return {
        key: item.value if isinstance(item, _Array) else item
        for key, item in value[0].items()
    }
