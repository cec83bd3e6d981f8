"""What the tests of broken and malicious files share."""

import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from messages import record

from oaa_mm.io import check_image_id

#: HYPOTHESIS_PROFILE=long tries this many times more.
FACTOR = 10 if os.environ.get('HYPOTHESIS_PROFILE') == 'long' else 1
NUMBERS = (0, 1, 0x7F, 0xFF, 2**31 - 1, 2**32 - 1, 2**60, 2**63 - 1, 2**64 - 1)

#: Names that are to lead out of a folder, or that no file can have.
HOSTILE_NAMES = (
    '../escaped', '../../escaped', '/escaped', '/etc/passwd', '..', '.', '',
    'a/../../escaped', '..\\escaped', 'C:\\escaped', 'a\0b', 'a\nb', 'a\r',
    '\x1b[31m', 'x' * 300, 'é' * 150, ' a', 'a ', '\ud800', '~', '-rf',
    '.hidden', 'a\u202eb', '%2e%2e%2fescaped', '$(touch escaped)',
)  # fmt: skip
hostile_names = st.sampled_from(HOSTILE_NAMES) | st.text(max_size=12)


def cases(count):
    """Settings of a test with `count` cases, many more in a long run."""
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def mutated(draw, contents):
    """One of some valid files, damaged in up to four places."""
    content = bytearray(draw(st.sampled_from(contents)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        kind = draw(st.sampled_from(('flip', 'cut', 'put', 'drop', 'number')))
        if kind == 'flip' and at < len(content):
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == 'cut':
            del content[at:]
        elif kind == 'put':
            some = draw(st.binary(min_size=1, max_size=8))
            content[at:at] = some * draw(st.sampled_from((1, 1, 1, 1000)))
        elif kind == 'drop':
            del content[at : at + draw(st.integers(1, 16))]
        elif kind == 'number':
            width = draw(st.sampled_from((1, 2, 4, 8)))
            value = draw(st.sampled_from(NUMBERS)) % 256**width
            order = draw(st.sampled_from(('little', 'big')))
            content[at : at + width] = value.to_bytes(width, order)
    return bytes(content)


@contextmanager
def only_documented(path, errors=(ValueError, FileNotFoundError)):
    """The block may raise `errors` alone, and they name the file."""
    message = Path(path).name
    try:
        yield
    except errors as error:
        message = str(error)
        record(message)
    assert Path(path).name in message


def assert_plain_ids(image_ids):
    for image_id in image_ids:
        check_image_id(image_id)
        assert '..' not in Path(image_id).parts
        assert Path('folder', image_id).is_relative_to('folder')


@contextmanager
def bounded_memory(megabytes=200):
    """Fail where the resident memory rises by more than that meanwhile."""
    status = Path('/proc/self/status')
    if not status.is_file():
        yield
        return
    Path('/proc/self/clear_refs').write_text('5')  # forget the peak so far

    def read(name):
        return int(re.search(rf'{name}:\s+(\d+)', status.read_text())[1])

    before = read('VmRSS')
    yield
    assert read('VmHWM') - before < megabytes * 1024


#: What code in a file could do; reading does none of it.
DEEDS = (
    'os.system', 'os.exec', 'os.spawn', 'os.posix_spawn', 'os.fork',
    'os.remove', 'os.rename', 'os.mkdir', 'os.ch', 'os.link', 'os.symlink',
    'os.truncate', 'os.putenv', 'os.kill', 'subprocess.', 'shutil.',
    'socket.', 'ctypes.', 'exec', 'pickle.find_class', 'urllib.',
)  # fmt: skip
_watched = None


def _audit(event, arguments):
    if _watched is None:
        return
    writes = event == 'open' and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if (writes or event.startswith(DEEDS)) and not _imports():
        _watched.append((event, str(arguments)))


def _imports():
    """Whether Python loads a module, of which it runs and caches the code."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith('<frozen importlib'):
            return True
        frame = frame.f_back
    return False


@contextmanager
def nothing_is_run():
    """Fail where Python starts a program, runs code or writes a file."""
    global _watched
    if _audit not in _hooked:
        sys.addaudithook(_audit)
        _hooked.append(_audit)
    _watched = deeds = []
    try:
        yield
    finally:
        _watched = None
    assert deeds == []


_hooked = []
