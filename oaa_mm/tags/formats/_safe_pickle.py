"""Reading pickled numpy values without running anything from the file.

A pickle is a program: it may name any function of any module and call it.
Here a call is only noted, and only if numpy's own pickles make it; each other
name is refused. The notes are then read as arrays, one at a time. So not even
numpy's C code is handed states that were made up.
"""

import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

#: The types of labels and image numbers.
_NUMBER_TYPES = (
    'b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'
)  # fmt: skip

#: Module and name of the calls that numpy's pickles make.
_CALLS = (
    ('numpy', 'ndarray'),
    ('numpy', 'dtype'),
    ('numpy.core.multiarray', '_reconstruct'),
    ('numpy.core.multiarray', 'scalar'),
    ('numpy.core.numeric', '_frombuffer'),
    ('_codecs', 'encode'),
    ('builtins', 'bytes'),
    ('__builtin__', 'bytes'),
)

#: One large text may be named again and again at a few bytes each.
_MAX_LETTERS = 2**20


class _Call:
    """A call that the file makes, and the state that it gives the result."""

    def __init__(self, name: str, arguments: tuple) -> None:
        self.name = name
        self.arguments = arguments
        self.state: tuple | None = None

    def __setstate__(self, state: tuple) -> None:
        self.state = state


class _Dict:
    """The pairs of a dict; the keys, which may be anything, are not hashed."""

    def __init__(self, pairs: list | None = None) -> None:
        # A list of the file is not copied, which it might ask for often.
        self.pairs = [] if pairs is None else pairs

    def __setitem__(self, key: object, value: object) -> None:
        self.pairs.append((key, value))


# Not the C unpickler: that one allocates by numbers found in the file, where a
# memo index of a few bytes takes gigabytes.
class _NotingUnpickler(pickle._Unpickler):
    """An unpickler that notes calls and makes plain lists and values."""

    dispatch = dict(pickle._Unpickler.dispatch)
    # The base class allocates a bytearray before it reads its content.
    dispatch[pickle.BYTEARRAY8[0]] = pickle._Unpickler.load_binbytes8
    # Members of sets are hashed; extensions are names that others registered.
    for _code in 'EMPTY_SET', 'ADDITEMS', 'FROZENSET', 'EXT1', 'EXT2', 'EXT4':
        del dispatch[getattr(pickle, _code)[0]]

    def find_class(self, module: str, name: str) -> Callable:
        """The object that notes the calls of a global name."""
        if (module, name) == ('collections', 'OrderedDict'):
            return lambda pairs=None: _Dict(pairs)
        # Numpy 2 calls the package `numpy._core` that was `numpy.core`.
        if (module.replace('numpy._core', 'numpy.core'), name) not in _CALLS:
            raise ValueError(
                f'it refers to the forbidden global {module}.{name}, which '
                'is not needed for labels and may run code; nothing was run'
            )
        return lambda *arguments: _Call(name, arguments)

    def load_empty_dictionary(self) -> None:
        """Begin a dict."""
        self.append(_Dict())

    def load_dict(self) -> None:
        """Make a dict of keys and values in turn."""
        items = self.pop_mark()
        pairs = zip(items[::2], items[1::2], strict=True)
        self.append(_Dict(list(pairs)))

    dispatch[pickle.EMPTY_DICT[0]] = load_empty_dictionary
    dispatch[pickle.DICT[0]] = load_dict


def _bytes(data: _Call | bytes | str) -> bytes:
    """Bytes; texts stand for them in the pickles of Python 2."""
    if isinstance(data, _Call):
        if data.name == 'bytes':
            return b''
        data, encoding = data.arguments
        if encoding != 'latin1':
            raise ValueError('it encodes bytes in another way than latin1')
    if isinstance(data, str):
        if len(data) > _MAX_LETTERS:
            raise ValueError(f'it holds {len(data)} bytes as a text')
        data = data.encode('latin1')
    return data  # type: ignore[return-value]  # unless the file is hostile


def _value(item: Any) -> Any:
    """The array, number or text that a noted call stands for."""
    if not isinstance(item, _Call):
        return item
    shape, order = (), 'C'
    if item.name == 'scalar':
        dtype, data = item.arguments
    elif item.name == '_frombuffer':
        data, dtype, shape, order = item.arguments
    else:
        _, shape, dtype, is_fortran, data = item.state
        order = 'F' if is_fortran else 'C'
    if isinstance(data, list):  # an array of Python objects
        return data
    code = str(_bytes(dtype.arguments[0]), 'latin1')
    byte_order = dtype.state[1] if dtype.state else '='
    if item.name == 'scalar' and code.startswith('U'):
        encoding = 'utf-32-be' if byte_order == '>' else 'utf-32-le'
        return _bytes(data).decode(encoding).rstrip('\0')
    if code not in _NUMBER_TYPES:
        raise ValueError(f'it holds values of type {code!r}, not numbers')
    kind = np.dtype(code)
    if byte_order in ('<', '>'):
        kind = kind.newbyteorder(byte_order)
    # The memory is what the file holds; where it does not fit, reshape raises.
    return np.frombuffer(_bytes(data), kind).reshape(shape, order=order)[()]


def load_numpy_pickle(data: bytes) -> Iterator[tuple[Any, Any]]:
    """Read the dict of a 0-d object array, as `np.save(path, {...})` does.

    Args:
        data (bytes): The pickle, without the header of the .npy file.

    Yields:
        tuple[Any, Any]: A key and its value. Arrays of numbers are
        :class:`numpy.ndarray`, read-only.

    Raises:
        ValueError: The pickle is broken, refers to anything but plain
            containers and numpy values, or holds something else than a dict.
    """
    try:
        # latin1 is what numpy uses for the pickles of Python 2.
        unpickler = _NotingUnpickler(io.BytesIO(data), encoding='latin1')
        content = _value(unpickler.load())
        if not isinstance(content, list) or len(content) != 1:
            raise ValueError('it does not hold a single Python object')
        if not isinstance(content[0], _Dict):
            kind = type(content[0]).__name__.strip('_')
            raise ValueError(f'it holds a {kind}, not a dict')
        for key, value in content[0].pairs:
            if isinstance(value, (list, tuple)):
                value = [_value(number) for number in value]
            yield _value(key), _value(value)
    except ValueError:
        raise
    except Exception as error:  # broken pickles raise nearly anything
        raise ValueError(
            f'its pickle is broken: {type(error).__name__}: {error}'
        ) from error
